"""Checks whether the objects that a migration created hold data, which reversing it would lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.migrations.layout import MigrationFile
from bot.migrations.postconditions import promised_by

_QUOTED = "SELECT format('%I.%I', $1::text, $2::text)"
_COLUMN = "SELECT quote_ident($1)"


async def held_by(connection: Any, files: Sequence[MigrationFile]) -> tuple[str, ...]:  # noqa: ANN401  # asyncpg is untyped
    """Return the tables with rows, and the columns of older tables with values, that these files created."""
    made = promised_by([file.sql for file in files]).there
    tables = {thing.name for thing in made if thing.kind == "relation"}
    held = [table for table in sorted(tables) if await _has_rows(connection, table)]
    columns = [thing for thing in made if thing.kind == "column" and thing.of not in tables]
    for column in sorted(columns, key=lambda one: one.title):
        name = await connection.fetchval(_COLUMN, column.name)
        if await _has_rows(connection, column.of, where=f"WHERE {name} IS NOT NULL"):
            held.append(f"{column.of}.{column.name}")
    return tuple(held)


async def _has_rows(connection: Any, table: str, *, where: str = "") -> bool:  # noqa: ANN401
    schema, _, name = table.rpartition(".")
    quoted = await connection.fetchval(_QUOTED, schema or "public", name)
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT FROM {quoted} {where})"))  # noqa: S608  # quoted by the server
