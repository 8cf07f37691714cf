"""Reads the state of a PostgreSQL database before anything is changed in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg

from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.formatting import duration, listed
from bot.engine.plugins import Context
from bot.migrations.database import LONG_S, Database, TableFacts
from bot.targets.support.backups import Backup, Shelf

EXACT_MOST_BYTES = 64 << 20
"""A table of up to this many bytes is counted; for a larger one the server's estimate is used."""

_LOCK_MS = 300
_SHARE_FOR_COUNTING = 0.5
_SERVER = """
SELECT current_setting('server_version') AS server, current_database()::text AS database,
       pg_database_size(current_database()) AS size_bytes, pg_is_in_recovery() AS replica
"""
_SEES_SESSIONS = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
# Reading a table's real size needs the right to lock it, and would wait while the table is being altered.
_TABLES = """
SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table",
       format('%I.%I', n.nspname, c.relname) AS quoted, greatest(c.reltuples, 0)::bigint AS rows,
       c.reltuples >= 0 AS analyzed,
       c.relpages::bigint * current_setting('block_size')::int AS bytes,
       has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1
"""
_INVALID = """
SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1
"""
_LEDGER_READABLE = "SELECT has_table_privilege(to_regclass('public.pilothouse_migrations'), 'SELECT')"
_LEDGER = """
SELECT version, phase, file, checksum, started, at FROM public.pilothouse_migrations ORDER BY at, file
"""
_FILLINGS = """
SELECT version, phase, file, done_to, last, rows FROM public.pilothouse_backfills AS b
WHERE NOT EXISTS (SELECT FROM public.pilothouse_migrations AS m
                  WHERE (m.version, m.phase, m.file) = (b.version, b.phase, b.file))
ORDER BY at
"""
_HAS_FILLINGS = "SELECT to_regclass('public.pilothouse_backfills') IS NOT NULL"
_LONG = """
SELECT pid, application_name, coalesce(state, '') AS state,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age_s
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()
  AND clock_timestamp() - xact_start > make_interval(secs => $1)
ORDER BY xact_start LIMIT 5
"""
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS name,
       CASE WHEN replay_lsn >= pg_current_wal_lsn() THEN 0
            ELSE extract(epoch FROM coalesce(replay_lag, clock_timestamp() - reply_time)) END::float8 AS lag_s
FROM pg_stat_replication WHERE NOT pg_is_in_recovery()
"""
_Row = Mapping[str, Any]


async def database_of(connection: Any, *, sessions: Any, limit_s: float) -> Database:  # noqa: ANN401  # asyncpg is untyped
    """Return the database's state, read within ``limit_s`` seconds; what could not be read is in ``gaps``.

    ``sessions`` is a connection of the role that can see other sessions.

    Raises:
        ProbeUnavailableError: the ledger cannot be read; which migrations are unfinished is then unknown.
    """
    server = await connection.fetchrow(_SERVER)
    tables, gaps = await _tables(connection, limit_s=limit_s * _SHARE_FOR_COUNTING)
    known = await connection.fetchval(_LEDGER_READABLE)
    if known is False:
        raise ProbeUnavailableError(
            "The bot's role cannot read the ledger of migrations.",
            hint="Grant it SELECT on `public.pilothouse_migrations`.",
        )
    applied = await connection.fetch(_LEDGER) if known else []
    fillings = await connection.fetch(_FILLINGS) if await connection.fetchval(_HAS_FILLINGS) else []
    sees = await sessions.fetchval(_SEES_SESSIONS)
    if not sees:
        gaps.append("The bot's role cannot see other sessions: grant it `pg_monitor`")
    open_long = await sessions.fetch(_LONG, LONG_S) if sees else []
    replicas = await sessions.fetch(_REPLICAS) if sees and not server["replica"] else []
    return Database.model_validate(
        {
            "server": server["server"].split()[0],
            "database": server["database"],
            "size_bytes": server["size_bytes"],
            "replica": server["replica"],
            "applied": [dict(row) for row in applied],
            "tables": tables,
            "invalid_indexes": [row["name"] for row in await connection.fetch(_INVALID)],
            "long_transactions": [dict(row) for row in open_long],
            "replicas": [dict(row) for row in replicas],
            "fillings": [dict(row) for row in fillings],
            "gaps": gaps,
        }
    )


async def _tables(connection: Any, *, limit_s: float) -> tuple[dict[str, TableFacts], list[str]]:  # noqa: ANN401
    rows = await connection.fetch(_TABLES)
    small = [row for row in rows if row["readable"] and row["bytes"] <= EXACT_MOST_BYTES]
    counted: dict[str, int] = {}
    gaps: list[str] = []
    try:
        async with asyncio.timeout(limit_s):
            await connection.execute(f"SET lock_timeout = {_LOCK_MS}")
            for row in small:
                counted[row["table"]] = await count_rows(connection, row["quoted"])
    except TimeoutError:
        gaps.append(f"Not all tables could be counted within {duration(limit_s)}: estimates are shown")
    except asyncpg.LockNotAvailableError:
        gaps.append("Another session has locked a table that was to be counted: estimates are shown")
    except asyncpg.UndefinedTableError:
        gaps.append("A table was dropped during the count: estimates are shown")
    if unread := [row["table"] for row in rows if not row["readable"]]:
        gaps.append(f"The bot's role cannot read {listed(unread, most=4)}: estimates are shown")
    return {row["table"]: _table(row, counted.get(row["table"])) for row in rows}, gaps


async def count_rows(connection: Any, quoted: str) -> int:  # noqa: ANN401
    """Return the number of rows of a table; ``quoted`` is its name as the server quoted it."""
    return int(await connection.fetchval(f"SELECT count(*) FROM {quoted}"))  # noqa: S608


def _table(row: _Row, counted: int | None) -> TableFacts:
    if counted is not None:
        return TableFacts(rows=counted, exact=True, bytes=row["bytes"])
    return TableFacts(rows=row["rows"] if row["analyzed"] else None, exact=False, bytes=row["bytes"])


async def last_backup(ctx: Context, service: str) -> tuple[Backup | None, tuple[str, ...]]:
    """Return the last backup that the bot made, or why it could not be read."""
    folder = ctx.service(service).target.get("postgres", {}).get("backups")
    if not folder:
        return None, ()
    try:
        return await asyncio.to_thread(Shelf(folder, service).newest), ()
    except ActionFailedError as error:
        return None, (str(error),)
