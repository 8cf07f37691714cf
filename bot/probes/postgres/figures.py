"""The queries for single figures from PostgreSQL; each returns one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import ProbeUnavailableError

Row = Mapping[str, Any]

MOST_IDS = 2**31
"""The most transaction ids between the oldest row and the newest (PostgreSQL, Routine Vacuuming)."""

CONNECTIONS = """
SELECT current_setting('max_connections')::int
       - coalesce(nullif(current_setting('superuser_reserved_connections'), '')::int, 0)
       - coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0) AS most,
       (SELECT count(*)::int FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS used
"""
LONGEST = """
SELECT a.pid, a.application_name, a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_s
FROM (SELECT 1) AS one
LEFT JOIN pg_stat_activity AS a
       ON a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
ORDER BY a.xact_start LIMIT 1
"""
BLOCKED = """
SELECT count(DISTINCT waiting.pid)::int AS blocked,
       coalesce(array_agg(DISTINCT blocker)::text[], '{}') AS blockers,
       coalesce(max(extract(epoch FROM clock_timestamp() - waiting.query_start)), 0)::float8 AS longest_wait_s
FROM pg_stat_activity AS waiting, unnest(pg_blocking_pids(waiting.pid)) AS blocker
WHERE waiting.wait_event_type = 'Lock'
"""
# A primary measures the lag of each replica only while it writes; between measurements, the time since the
# replica's last reply is used.  A replica reports the age of the last transaction that it has replayed, which
# is not a lag if it has replayed all that it received.
LAG = """
WITH lags AS (
    SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS replica,
           pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 AS behind_bytes,
           CASE WHEN replay_lsn >= pg_current_wal_lsn() THEN 0
                ELSE extract(epoch FROM coalesce(replay_lag, clock_timestamp() - reply_time))
           END::float8 AS lag_s
    FROM pg_stat_replication WHERE NOT pg_is_in_recovery()
    UNION ALL
    SELECT 'this replica',
           pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8,
           CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8
    WHERE pg_is_in_recovery()
)
SELECT t.replica, t.behind_bytes, t.lag_s, (SELECT count(*)::int FROM lags) AS replicas
FROM (SELECT 1) AS one LEFT JOIN lags AS t ON true
ORDER BY t.lag_s DESC NULLS FIRST LIMIT 1
"""
IDS = """
SELECT datname::text AS database, age(datfrozenxid) AS age
FROM pg_database ORDER BY age(datfrozenxid) DESC LIMIT 1
"""
DEAD = """
SELECT t.schemaname || '.' || t.relname AS "table", t.n_dead_tup AS dead, t.n_live_tup AS live
FROM (SELECT 1) AS one LEFT JOIN pg_stat_user_tables AS t ON t.n_dead_tup >= $1
ORDER BY t.n_dead_tup::float8 / nullif(t.n_dead_tup + t.n_live_tup, 0) DESC NULLS LAST LIMIT 1
"""
_SEES_SESSIONS = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"


async def refuse_blindness(connection: Any) -> None:  # noqa: ANN401  # the driver has no types
    """Raise an error unless the bot's role can see other sessions; without that, a busy server looks idle.

    Raises:
        ProbeUnavailableError: the role cannot see them.
    """
    if not await connection.fetchval(_SEES_SESSIONS):
        raise ProbeUnavailableError(
            "The bot's role cannot see other sessions.",
            hint="Grant it `pg_monitor`: `GRANT pg_monitor TO <role>`.",
        )
