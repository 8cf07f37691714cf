"""Checks in PostgreSQL that a migration has done what its files promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from bot.migrations.compatibility import ContractedObject
from bot.migrations.layout import MigrationFile
from bot.migrations.postconditions import SchemaObject
from bot.migrations.verify import CatalogueState

_NOT_OURS = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
_NAME = "CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END"
_RELATIONS = f"""
SELECT {_NAME} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_NOT_OURS}
"""  # noqa: S608  # constants
_COLUMNS = f"""
SELECT {_NAME} AS "table", a.attname AS name, a.attnotnull AS not_null
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {_NOT_OURS}
"""  # noqa: S608
_INDEXES = f"""
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname END AS schema, i.relname AS name,
       {_NAME} AS "table", x.indisvalid AS valid
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_NOT_OURS}
"""  # noqa: S608
_CONSTRAINTS = f"""
SELECT {_NAME} AS "table", k.conname AS name, k.convalidated AS valid
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_NOT_OURS}
"""  # noqa: S608
_CONTRACTS = """
SELECT version, file, at FROM public.pilothouse_migrations WHERE phase = 'contract'
ORDER BY at, version, file
"""
_LEDGER = """
SELECT phase, file, checksum, started FROM public.pilothouse_migrations WHERE version = $1
"""


async def found_in(connection: Any) -> CatalogueState:  # noqa: ANN401  # asyncpg is untyped
    """Return every object in the database that a migration can create, change or drop."""
    things = {
        SchemaObject(kind="relation", of="", name=row["name"]) for row in await connection.fetch(_RELATIONS)
    }
    not_null, unchecked, invalid = set(), set(), {}
    for row in await connection.fetch(_COLUMNS):
        column = SchemaObject(kind="column", of=row["table"], name=row["name"])
        things.add(column)
        if row["not_null"]:
            not_null.add(column)
    for row in await connection.fetch(_INDEXES):
        index = SchemaObject(kind="index", of=row["schema"], name=row["name"])
        things.add(index)
        if not row["valid"]:
            invalid[index] = row["table"]
    for row in await connection.fetch(_CONSTRAINTS):
        constraint = SchemaObject(kind="constraint", of=row["table"], name=row["name"])
        things.add(constraint)
        if not row["valid"]:
            unchecked.add(constraint)
    return CatalogueState(
        things=frozenset(things),
        not_null=frozenset(not_null),
        unchecked=frozenset(unchecked),
        invalid=invalid,
    )


async def not_applied(connection: Any, version: str, files: Sequence[MigrationFile]) -> tuple[str, ...]:  # noqa: ANN401
    """Return which files are not in the ledger, are unfinished, or differ from what was applied."""
    known = await connection.fetchval("SELECT to_regclass('public.pilothouse_migrations')")
    rows = await connection.fetch(_LEDGER, version) if known is not None else []
    entered = {(row["phase"], row["file"]): row for row in rows}
    problems = []
    for file in files:
        row = entered.get((file.phase, file.name))
        if row is None:
            problems.append(f"{file.title} is not applied")
        elif row["started"]:
            problems.append(f"{file.title} was started and did not finish")
        elif row["checksum"] != file.checksum:
            problems.append(f"{file.title} was changed after it was applied")
    return tuple(problems)


async def contracts(connection: Any) -> tuple[ContractedObject, ...]:  # noqa: ANN401
    """Return the files of all contracts that were applied or started."""
    known = await connection.fetchval("SELECT to_regclass('public.pilothouse_migrations')")
    rows = await connection.fetch(_CONTRACTS) if known is not None else []
    return tuple(ContractedObject(version=row["version"], file=row["file"], at=row["at"]) for row in rows)


async def counted(connection: Any, tables: Sequence[str]) -> dict[str, int]:  # noqa: ANN401
    """Return the number of rows by table; a missing table is left out, as it is reported elsewhere."""
    rows: dict[str, int] = {}
    for table in tables:
        schema, _, name = table.rpartition(".")
        quoted = await connection.fetchval(
            "SELECT format('%I.%I', $1::text, $2::text)", schema or "public", name
        )
        if await connection.fetchval("SELECT to_regclass($1)", quoted) is not None:
            rows[table] = await connection.fetchval(f"SELECT count(*) FROM {quoted}")  # noqa: S608  # quoted by the server
    return rows


async def unproved(connection: Any, questions: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ANN401
    """Return which queries found rows or could not be run; each runs in a read-only transaction."""
    problems = []
    for name, sql in questions.items():
        try:
            async with connection.transaction(readonly=True):
                rows = await connection.fetch(sql)
        except (asyncpg.SyntaxOrAccessError, asyncpg.ReadOnlySQLTransactionError) as error:
            problems.append(f"{name} could not be run: {error}")
            continue
        if rows:  # the rows themselves are not shown: they are people's data
            problems.append(f"{name} found rows that must not exist: {len(rows)}")
    return tuple(problems)
