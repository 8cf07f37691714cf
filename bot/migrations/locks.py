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
        table, scans = _table_of(statement.sql)
        lasts = "for a moment"
        if statement.rewrites:
            lasts = "while the whole table is rewritten"
        elif scans:
            lasts = "while the whole table is read"
        lines.append(f"{blocks} {table or 'what it changes'} {lasts}: {_short(statement.sql)}")
    return list(dict.fromkeys(lines))


def _table_of(sql: str) -> tuple[str, bool]:
    """Return the table that a statement is about, if it names one, and whether all of its rows are read."""
    try:
        [raw] = parse_sql(sql)
    except (ParseError, ValueError):
        return "", True
    relation = getattr(raw.stmt, "relation", None)
    table = name_of(relation) if isinstance(relation, ast.RangeVar) else ""
    return table, isinstance(raw.stmt, ast.IndexStmt) or _checks_rows(raw.stmt)


def _checks_rows(statement: ast.Node) -> bool:
    """Return whether an ALTER TABLE reads every row to check it."""
    if not isinstance(statement, ast.AlterTableStmt):
        return False
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
