"""Reads PostgreSQL: who blocks whom, transactions left open, connections, replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from bot.analysis.sessions import Activity, Session, findings_of, normal_of
from bot.analysis.words import listing, span
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Evidence, Finding, FindingKind, Findings
from bot.engine.plugins import Context, probe

_SHARE_OF_TIME = 0.85
_NAME = "pilothouse"

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


@dataclass(frozen=True, kw_only=True)
class _Server:
    dsn: str
    services: tuple[str, ...]


@probe(specialist="database")
async def health(ctx: Context, *, service: str) -> Findings:
    """What is wrong in the PostgreSQL databases of a service and of all it stands on; reads only.

    A server that refuses connections, or has no slot left, is a finding; one that cannot be reached, or
    does not let the bot in, is unavailable.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: no server could be asked; that says nothing about their health.
        ProbeGarbageError: what listens there is no PostgreSQL.
    """
    servers = _servers(ctx, service)
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    answers = await asyncio.gather(
        *(_ask(server, limit_s=limit_s) for server in servers), return_exceptions=True
    )
    found: list[Finding] = []
    normal: list[str] = []
    gaps: list[str] = []
    failures: list[ProbeUnavailableError] = []
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, Activity):
            mine = findings_of(answer)
            found.extend(mine)
            normal.extend(normal_of(answer, mine))
        elif isinstance(answer, Finding):
            found.append(answer)
        elif isinstance(answer, ProbeUnavailableError):
            failures.append(answer)
            gaps.append(f"{listing(server.services)}: {answer}")
        else:
            raise answer
    if len(failures) == len(servers):
        raise failures[0]
    return Findings(items=tuple(found), looked_at=_looked_at(answers), normal=tuple(normal), gaps=tuple(gaps))


def _looked_at(answers: Iterable[object]) -> str:
    read = [answer for answer in answers if isinstance(answer, Activity)]
    sessions = sum(activity.used for activity in read)
    return f"{sessions} sessions of the database of {listing([a.service for a in read]) or 'nobody'}"


def _servers(ctx: Context, service: str) -> list[_Server]:
    by_dsn: dict[str, list[str]] = {}
    for entry in ctx.catalogue.downstream(service):
        dsn = entry.sources.get("postgres", {}).get("dsn")
        if dsn:
            by_dsn.setdefault(dsn, []).append(entry.name)
    if not by_dsn:
        raise ProbeNotConfiguredError(
            f"{service} and what it stands on have no `postgres` source with a `dsn`."
        )
    return [_Server(dsn=dsn, services=tuple(names)) for dsn, names in by_dsn.items()]


async def _ask(server: _Server, *, limit_s: float) -> Activity | Finding:
    name = server.services[0]
    try:
        async with asyncio.timeout(limit_s):
            return await _activity(server, limit_s=limit_s)
    # Nothing of the driver's own text is passed on where it may hold the address or the password.
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The database does not answer within {span(limit_s)}.") from error
    except asyncpg.TooManyConnectionsError:
        return _evidence(name, FindingKind.DB_CONNECTIONS_HIGH, "it has no connection slot left", 0.95)
    except asyncpg.CannotConnectNowError:
        return _evidence(name, FindingKind.DB_DOWN, "it is starting up or shutting down", 0.9)
    except ConnectionRefusedError:
        return _evidence(name, FindingKind.DB_DOWN, "nobody accepts the connection", 0.9)
    except (asyncpg.ClientConfigurationError, ValueError) as error:
        raise ProbeUnavailableError("The `dsn` in the catalogue is not valid.") from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError) as error:
        raise ProbeUnavailableError("The database does not let the bot in.") from error
    except asyncpg.ProtocolError as error:
        raise ProbeGarbageError("What listens there does not speak PostgreSQL's language.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        if "rejected SSL upgrade" in str(error):  # all that the driver says when the first answer is odd
            raise ProbeGarbageError("What listens there is no PostgreSQL, or refuses encryption.") from error
        raise ProbeUnavailableError(f"The database cannot be read: {type(error).__name__}.") from error


async def _activity(server: _Server, *, limit_s: float) -> Activity:
    connection = await asyncpg.connect(
        server.dsn,
        timeout=limit_s,
        command_timeout=limit_s,
        server_settings={"application_name": _NAME, "default_transaction_read_only": "on"},
    )
    try:
        sessions = await connection.fetch(_SESSIONS)
        about = await connection.fetchrow(_SERVER)
        replicas = await connection.fetch(_REPLICAS)
    finally:
        # Closing politely waits for the server; a session that hangs must not hold the probe.
        connection.terminate()
    return Activity(
        service=server.services[0],
        sessions=[_session(row) for row in sessions],
        max_connections=about["connections"],
        deadlocks=about["deadlocks"],
        replica_lag_s={row["name"]: row["lag_s"] for row in replicas},
    )


def _session(row: Mapping[str, Any]) -> Session:
    return Session(
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
        # As text: for an array of numbers the driver would first ask the server what that is.
        blocked_by=tuple(int(pid) for pid in row["blocked_by"]),
        tables=tuple(row["tables"]),
    )


def _age(value: float | None) -> float:
    return -1.0 if value is None else value


def _evidence(service: str, kind: FindingKind, text: str, strength: float) -> Finding:
    return Finding(
        id=f"database:{kind.value}:{service}",
        source="database",
        kind=kind,
        service=service,
        component="connections" if kind is FindingKind.DB_CONNECTIONS_HIGH else "",
        summary=f"The database of {service} cannot be used: {text}.",
        strength=strength,
        evidence=(Evidence(text=f"connecting to the database of {service}: {text}"),),
    )
