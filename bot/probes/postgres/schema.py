"""Reads the schema that a migration is assessed against from PostgreSQL's catalogue."""

from __future__ import annotations

from typing import Any

from bot.migrations.surroundings import Schema

_COLUMNS = """
SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table",
       a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS kind
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""
# The triggers behind foreign keys are internal: they write nothing if only new columns change.
_TRIGGERS = """
SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
   OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind IN ('r', 'p'))
   OR EXISTS (SELECT FROM pg_inherits i JOIN pg_trigger t ON t.tgrelid = i.inhrelid
              WHERE i.inhparent = c.oid AND NOT t.tgisinternal)
"""


async def schema_of(connection: Any) -> Schema:  # noqa: ANN401  # asyncpg is untyped
    """Return the columns of all tables, and which tables have triggers or rules of their own."""
    columns: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(_COLUMNS):
        columns.setdefault(row["table"], {})[row["column"]] = row["kind"]
    return Schema(
        columns=columns, triggers=frozenset(row["table"] for row in await connection.fetch(_TRIGGERS))
    )
