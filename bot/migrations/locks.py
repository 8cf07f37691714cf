"""What each statement of a migration locks and rewrites, in words for the person who approves it.

The locks and what they conflict with are those of PostgreSQL's documentation, *Explicit Locking* (13.3);
which command takes which is in the reference page of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from pglast import ast, parse_sql
from pglast.parser import ParseError

from bot.migrations.rulings import Assessment, Lock
from bot.migrations.surroundings import name_of

_BLOCKS = {
    Lock.SHARE: "blocks writes to",
    Lock.SHARE_ROW_EXCLUSIVE: "blocks writes to",
    Lock.ACCESS_EXCLUSIVE: "blocks reads and writes of",
}
"""Locks that keep a service waiting; the others conflict with neither its reads nor its writes."""
_SQL_CHARS = 80


def lock_lines(assessments: Sequence[Assessment]) -> list[str]:
    """Return a line for each statement that keeps others waiting: what it blocks, and how long."""
    lines: list[str] = []
    for statement in (each for one in assessments for each in one.statements):
        blocks = _BLOCKS.get(statement.lock)
        if blocks is None:
            continue
        node = _parsed(statement.sql)
        lasts = "while the whole table is rewritten" if statement.rewrites else _lasts(node)
        lines.append(f"{blocks} {_tables_of(node) or 'what it changes'} {lasts}: {_short(statement.sql)}")
    return list(dict.fromkeys(lines))


def _parsed(sql: str) -> ast.Node | None:
    try:
        [raw] = parse_sql(sql)
    except (ParseError, ValueError):
        return None
    return raw.stmt


def _tables_of(node: ast.Node | None) -> str:
    """Return the tables that a statement names as what it is about; empty if it names none."""
    one = getattr(node, "relation", None)
    several = [getattr(each, "relation", each) for each in getattr(node, "rels", None) or ()]
    relations = [one, *several, *(getattr(node, "relations", None) or ())]
    return ", ".join(name_of(each) for each in relations if isinstance(each, ast.RangeVar))


def _lasts(node: ast.Node | None) -> str:
    """Return in words how long a statement holds its lock, apart from the rest of its transaction."""
    match node:
        case ast.LockStmt():
            return "until the end of the transaction"
        case ast.IndexStmt() | ast.ReindexStmt():
            return "while the whole table is read"
        case ast.AlterTableStmt():
            return "while the whole table is read" if _checks_rows(node) else "for a moment"
        case ast.CreateStmt() | ast.DropStmt() | ast.RenameStmt() | ast.TruncateStmt() | ast.CreateTrigStmt():
            return "for a moment"
        case _:
            return "for as long as it runs"


def _checks_rows(statement: ast.AlterTableStmt) -> bool:
    """Return whether an ALTER TABLE reads every row to check it."""
    return any(
        command.subtype.name in {"AT_SetNotNull", "AT_AddIndex"}
        or (isinstance(command.def_, ast.Constraint) and not command.def_.skip_validation)
        or (
            isinstance(command.def_, ast.ColumnDef)
            and any(c.contype.name in _CHECKED for c in command.def_.constraints or ())
        )
        for command in statement.cmds
    )


_CHECKED = frozenset({"CONSTR_CHECK", "CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_FOREIGN"})


def _short(sql: str) -> str:
    line = " ".join(sql.split())
    return f"`{line if len(line) <= _SQL_CHARS else line[: _SQL_CHARS - 1] + '…'}`"
