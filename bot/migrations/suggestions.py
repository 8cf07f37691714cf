"""What to write instead of a statement after which the old version cannot come back."""

from __future__ import annotations

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

_T = enums.AlterTableType

_LATER = (
    "First release a version that does not use it; then put this under `contract/`, which is applied last "
    "and needs an approval of its own."
)
_BESIDE = (
    "Add the new one beside the old one under `expand/`, fill it under `migrate/`, let this version write "
    "both, and drop the old one under `contract/`."
)
_COPY = (
    "Write the new values into a new column or table, so that the old version still finds its own; drop what "
    "it replaces under `contract/`."
)
_CHECKED = (
    "Add `CHECK (column IS NOT NULL) NOT VALID` and fill the rows first; `VALIDATE CONSTRAINT` and "
    "`SET NOT NULL` go under `contract/`."
)
_DEFAULT = "Allow NULL in the column, or give it a constant default for the old version's writes."
_SPELT = "Write plain statements one after the other: I can analyse them, but not code."
_ELSE = "Put it under `contract/`, or write it so that the previous version does not notice."


def instead_of(sql: str) -> str:
    """Advise on one statement."""
    try:
        [raw] = parse_sql(sql)
    except (ParseError, ValueError):
        return _SPELT
    match raw.stmt:
        case ast.AlterTableStmt() as statement:
            return _of_alter(statement.cmds)
        case ast.DropStmt():
            return _LATER
        case ast.RenameStmt() | ast.AlterObjectSchemaStmt():
            return _BESIDE
        case ast.UpdateStmt() | ast.InsertStmt() | ast.MergeStmt():
            return _COPY
        case ast.DeleteStmt() | ast.TruncateStmt():
            return _LATER
        case ast.DoStmt() | ast.CallStmt() | ast.SelectStmt() | ast.ExecuteStmt():
            return _SPELT
        case _:
            return _ELSE


def _of_alter(commands: tuple[ast.AlterTableCmd, ...]) -> str:
    advice = {
        _T.AT_DropColumn: _LATER,
        _T.AT_AlterColumnType: _BESIDE,
        _T.AT_SetNotNull: _CHECKED,
        _T.AT_AddColumn: _DEFAULT,
        _T.AT_DetachPartition: _LATER,
    }
    return next((advice[command.subtype] for command in commands if command.subtype in advice), _ELSE)
