"""Types of columns: which are PostgreSQL's own, and which change of type keeps every value readable."""

from __future__ import annotations

import re

from pglast import ast
from pglast.stream import RawStream

from bot.migrations.rulings import Lock, MigrationRuling, MigrationStage, impossible, safe, until

_OWN = frozenset(
    [
        "bigint",
        "bit",
        "bool",
        "boolean",
        "bpchar",
        "bytea",
        "char",
        "cidr",
        "date",
        "daterange",
        "float4",
        "float8",
        "inet",
        "int",
        "int2",
        "int2vector",
        "int4",
        "int4range",
        "int8",
        "int8range",
        "integer",
        "interval",
        "json",
        "jsonb",
        "jsonpath",
        "macaddr",
        "money",
        "numeric",
        "numrange",
        "point",
        "smallint",
        "text",
        "time",
        "timestamp",
        "timestamptz",
        "timetz",
        "tsquery",
        "tsrange",
        "tstzrange",
        "tsvector",
        "uuid",
        "varbit",
        "varchar",
        "xml",
    ]
)
SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
_INTEGERS = ("smallint", "integer", "bigint")
_SIZED = re.compile(r"(varchar|numeric)(?:\((\d+)(?:, ?(\d+))?\))?")


def is_own(kind: ast.TypeName, *, new_types: set[str]) -> bool:
    """Whether values of the type obey only rules that are known: PostgreSQL's own, or made just now."""
    names = [part.sval for part in kind.names]
    return (len(names) == 1 or names[0] == "pg_catalog") and (
        names[-1] in _OWN or ".".join(names) in new_types
    )


def written(kind: ast.TypeName) -> str:
    """Write a type in one way, whichever synonym was used."""
    return canonical(str(RawStream()(kind)))


def canonical(kind: str) -> str:
    """Normalise a type name from ``format_type`` or from a parser to one spelling."""
    return kind.replace("character varying", "varchar").replace(" ", "").replace("pg_catalog.", "")


def change(before: str, after: str) -> MigrationRuling:
    """Rule on a change of type, without USING, from the present type to the new one."""
    lock = Lock.ACCESS_EXCLUSIVE
    if before == after:
        return safe(MigrationStage.EXPAND, "the type does not change", lock=lock)
    if before in _INTEGERS and after in _INTEGERS:
        if _INTEGERS.index(after) > _INTEGERS.index(before):
            why = f"code that reads {before} fails at the first value that only fits {after}"
            return until(MigrationStage.EXPAND, why, lock=lock, rewrites=True)
        return until(
            MigrationStage.CONTRACT,
            f"the old version may write values that {after} rejects",
            lock=lock,
            rewrites=True,
        )
    if _takes_all(before, after):
        return safe(MigrationStage.EXPAND, f"{after} accepts every value of {before}", lock=lock)
    return impossible(
        MigrationStage.CONTRACT,
        f"from {before} to {after}, values may be truncated, rounded or read differently",
        lock=lock,
        rewrites=True,
    )


def _takes_all(before: str, after: str) -> bool:
    old, new = _SIZED.fullmatch(before), _SIZED.fullmatch(after)
    if old is None:
        return False
    if old[1] == "varchar" and after == "text":
        return True
    if new is None or new[1] != old[1]:
        return False
    if new[2] is None:  # no limit
        return True
    if old[2] is None or int(new[2]) < int(old[2]):
        return False
    # Another scale pads or rounds, so it must be the same.
    return (old[3] or "0") == (new[3] or "0")
