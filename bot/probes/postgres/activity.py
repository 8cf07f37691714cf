"""Reads the sessions of a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.diagnosis.signals.sessions import DatabaseActivity, DatabaseSession
from bot.probes.postgres.connection import reading

_SESSIONS = """
SELECT a.pid, a.backend_start, coalesce(a.application_name, '') AS application_name,
       coalesce(a.usename::text, '') AS usename, coalesce(a.state, '') AS state,
       coalesce(a.query, '') AS query, a.xact_start,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_age_s,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_age_s,
       coalesce(a.wait_event_type, '') AS wait_event_type,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid)::text[] ELSE '{}' END AS blocked_by,
       coalesce(l.tables, '{}') AS tables
FROM pg_stat_activity AS a
LEFT JOIN (
    SELECT k.pid, array_agg(DISTINCT c.relname::text ORDER BY c.relname::text) AS tables
    FROM pg_locks AS k
    JOIN pg_class AS c ON c.oid = k.relation AND c.relkind IN ('r', 'p')
    WHERE k.mode <> 'AccessShareLock'
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY k.pid
) AS l ON l.pid = a.pid
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
ORDER BY a.pid
"""
_SERVER = """
SELECT current_setting('max_connections')::int
       - coalesce(nullif(current_setting('superuser_reserved_connections'), '')::int, 0)
       - coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0) AS connections,
       (SELECT coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database) AS deadlocks
"""
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS name,
       extract(epoch FROM replay_lag)::float8 AS lag_s
FROM pg_stat_replication WHERE replay_lag IS NOT NULL
"""


async def activity(dsn: str, *, service: str, limit_s: float) -> DatabaseActivity:
    """Return a server's sessions, limits and replication lag.

    Raises:
        ProbeUnavailableError: and its kinds, as ``reading`` does.
    """
    async with reading(dsn, limit_s=limit_s) as connection:
        sessions = await connection.fetch(_SESSIONS)
        about = await connection.fetchrow(_SERVER)
        replicas = await connection.fetch(_REPLICAS)
    return DatabaseActivity(
        service=service,
        sessions=[_session(row) for row in sessions],
        max_connections=about["connections"],
        deadlocks=about["deadlocks"],
        replica_lag_s={row["name"]: row["lag_s"] for row in replicas},
    )


def _session(row: Mapping[str, Any]) -> DatabaseSession:
    return DatabaseSession(
        pid=row["pid"],
        backend_start=row["backend_start"],
        application_name=row["application_name"],
        usename=row["usename"],
        state=row["state"],
        query=row["query"],
        xact_start=row["xact_start"],
        xact_age_s=_age(row["xact_age_s"]),
        query_age_s=_age(row["query_age_s"]),
        state_age_s=_age(row["state_age_s"]),
        wait_event_type=row["wait_event_type"],
        # As text: for an array of numbers the driver would first ask the server for its type.
        blocked_by=tuple(int(pid) for pid in row["blocked_by"]),
        tables=tuple(row["tables"]),
    )


def _age(value: float | None) -> float:
    return -1.0 if value is None else value
