"""Reads PostgreSQL: blocking sessions, transactions left open, connections, replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bot.diagnosis.signals.sessions import DatabaseActivity, findings_of, normal_of
from bot.domain.diagnoses.finding import Evidence, Facts, Finding, FindingKind, Findings, Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, figure, listed
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.migrations.database import warnings_of, way_back_of
from bot.probes._shared.connect import SHARE_OF_TIME
from bot.probes.postgres import figures
from bot.probes.postgres.activity import activity
from bot.probes.postgres.connection import NoSlotLeftError, ServerDownError, owner_dsn, reading
from bot.probes.postgres.state import database_of, last_backup


@dataclass(frozen=True, kw_only=True)
class _Server:
    dsn: str
    services: tuple[str, ...]


@probe(specialist="database")
async def health(ctx: Context, *, service: str) -> Findings:
    """Problems in the PostgreSQL databases of a service, its dependencies and its direct callers; reads only.

    A server that refuses connections, or has no slot left, is a finding; one that cannot be reached, or
    denies the bot access, is unavailable.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: no server could be read; they may be healthy.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    servers = _servers(ctx, service)
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    answers = await asyncio.gather(
        *(_ask(server, limit_s=limit_s) for server in servers), return_exceptions=True
    )
    found: list[Finding] = []
    normal: list[str] = []
    gaps: list[str] = []
    failures: list[ProbeUnavailableError] = []
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, DatabaseActivity):
            mine = findings_of(answer)
            found.extend(mine)
            normal.extend(normal_of(answer, mine))
        elif isinstance(answer, Finding):
            found.append(answer)
        elif isinstance(answer, ProbeUnavailableError):
            failures.append(answer)
            gaps.append(f"{listed(server.services, most=4)}: {answer}")
        else:
            raise answer
    if len(failures) == len(servers):
        below = {entry.name for entry in ctx.catalogue.downstream(service)}
        if not any(name in below for server in servers for name in server.services):
            raise ProbeNotConfiguredError(
                f"Only a caller of {service} has a database, and it did not answer."
            )
        raise failures[0]
    return Findings(items=tuple(found), looked_at=_looked_at(answers), normal=tuple(normal), gaps=tuple(gaps))


@probe(specialist="database")
async def connections_used(ctx: Context, *, service: str) -> Measurement:
    """Share of a service's PostgreSQL connections in use, 0 to 1; 1 when none is left for the bot.

    ``data`` holds ``used`` and ``most``, without the connections reserved for superusers.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read, or the bot's role cannot see other sessions.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    try:
        row = await _row(ctx, service, figures.CONNECTIONS)
    except NoSlotLeftError:
        return _figure(ctx, service, 1.0, unit="ratio", text="all connections are in use")
    used, most = row["used"], row["most"]
    text = f"{used} of {most} connections are in use"
    return _figure(ctx, service, used / most, unit="ratio", text=text, data={"used": used, "most": most})


@probe(specialist="database")
async def longest_transaction(ctx: Context, *, service: str) -> Measurement:
    """Seconds for which a service's oldest PostgreSQL transaction has been open; 0 if none is open.

    ``data`` holds its ``pid``, ``application_name`` and ``state``.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read, or the bot's role cannot see other sessions.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    row = await _row(ctx, service, figures.LONGEST)
    if row["pid"] is None:
        return _figure(ctx, service, 0.0, unit="s", text="no transaction is open")
    name = row["application_name"] or "an unnamed application"
    text = f"a transaction of {name} ({row['state']}) has been open for {duration(row['age_s'])}"
    data = {key: row[key] for key in ("pid", "application_name", "state")}
    return _figure(ctx, service, row["age_s"], unit="s", text=text, data=data)


@probe(specialist="database")
async def blocked_sessions(ctx: Context, *, service: str) -> Measurement:
    """How many sessions of a service's PostgreSQL server wait for another session's lock.

    ``data`` holds the ``blockers`` (process ids) and ``longest_wait_s``.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read, or the bot's role cannot see other sessions.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    row = await _row(ctx, service, figures.BLOCKED)
    blockers = [int(pid) for pid in row["blockers"]]
    data: JsonObject = {"blockers": list(blockers), "longest_wait_s": round(row["longest_wait_s"], 1)}
    text = f"{row['blocked']} sessions are blocked" if row["blocked"] else "no session is blocked"
    return _figure(ctx, service, float(row["blocked"]), unit="sessions", text=text, data=data)


@probe(specialist="database")
async def replication_lag(ctx: Context, *, service: str) -> Measurement:
    """Seconds by which the slowest replica is behind, read from the primary or from the replica itself.

    ``data`` holds the ``replica``, how many ``replicas`` there are and ``behind_bytes``.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read, no replica is connected, or its lag is not known;
            none of these is a lag of 0.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    row = await _row(ctx, service, figures.LAG)
    if row["replicas"] == 0:
        raise ProbeUnavailableError(f"No replica is connected to the database of {service}.")
    if row["lag_s"] is None:
        raise ProbeUnavailableError(
            f"The replica {row['replica']} of {service} has not reported its lag yet."
        )
    text = (
        f"{row['replica']} is {figure(row['lag_s'], 's')} behind"
        if row["lag_s"]
        else "replicas are up to date"
    )
    data = {key: row[key] for key in ("replica", "replicas", "behind_bytes")}
    return _figure(ctx, service, row["lag_s"], unit="s", text=text, data=data)


@probe(specialist="database")
async def transaction_ids_used(ctx: Context, *, service: str) -> Measurement:
    """Share of PostgreSQL's transaction ids that are used up, 0 to 1; shortly before 1 it accepts no writes.

    ``data`` holds the oldest ``database`` and the ``age`` of its oldest unfrozen transaction id.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    row = await _row(ctx, service, figures.IDS, sees_sessions=False)
    share = row["age"] / figures.MOST_IDS
    text = f"{figure(share, 'ratio')} of the transaction ids of {row['database']} are used up"
    return _figure(
        ctx, service, share, unit="ratio", text=text, data={"database": row["database"], "age": row["age"]}
    )


@probe(specialist="database")
async def dead_rows(ctx: Context, *, service: str, least: Annotated[int, Field(ge=1)] = 1000) -> Measurement:
    """Share of dead rows, 0 to 1, in the worst table of a service's database.

    Only tables with ``least`` dead rows count; 0 if there are none.  ``data`` holds the ``table`` and its
    ``dead`` and ``live`` rows.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    row = await _row(ctx, service, figures.DEAD, least, sees_sessions=False)
    if row["table"] is None:
        return _figure(ctx, service, 0.0, unit="ratio", text=f"no table has {least} dead rows")
    share = row["dead"] / (row["dead"] + row["live"])
    text = f"{figure(share, 'ratio')} of the rows of {row['table']} are dead"
    return _figure(
        ctx,
        service,
        share,
        unit="ratio",
        text=text,
        data={key: row[key] for key in ("table", "dead", "live")},
    )


@probe(specialist="database")
async def state(ctx: Context, *, service: str) -> Facts:
    """The state of a service's database before anything is changed in it; reads only.

    Tables are read as their owner (``dsn`` of the ``migrations`` source, if there is one).

    ``data`` holds ``server`` (version), ``database``, ``size_bytes``, ``replica``, ``applied`` (the ledger of
    migrations), ``fillings`` (running backfills), ``tables`` (``rows``, whether that is ``exact``,
    ``bytes``), ``invalid_indexes``, ``long_transactions`` (30 s or more), ``replicas`` (``lag_s``),
    ``backup`` (the last one known to the bot, or null), ``rollback`` (``verdict``, ``step``, ``because``),
    ``warnings`` and ``gaps``.

    Raises:
        ProbeNotConfiguredError: the service has no ``postgres`` source with a ``dsn``.
        ProbeUnavailableError: the server cannot be read.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    looks, owns = _dsn(ctx, service), owner_dsn(ctx, service)
    async with reading(looks, limit_s=limit_s) as sessions, reading(owns, limit_s=limit_s) as tables:
        found = await database_of(tables, sessions=sessions, limit_s=limit_s)
    backup, gaps = await last_backup(ctx, service)
    warnings = warnings_of(found, backed_up=backup is not None)
    data: JsonObject = {
        **found.model_dump(mode="json"),
        "backup": None if backup is None else backup.model_dump(mode="json"),
        "rollback": way_back_of(found).model_dump(mode="json"),
        "warnings": list(warnings),
        "gaps": [*found.gaps, *gaps],
    }
    size = figure(found.size_bytes, "bytes")
    text = f"PostgreSQL {found.server}, {found.database}: {len(found.tables)} tables, {size}"
    return Facts(summary=" ".join((*(f"⚠️ {warning}" for warning in warnings), text)), data=data)


def _dsn(ctx: Context, service: str) -> str:
    dsn = ctx.source(service, "postgres").get("dsn")
    if not dsn:
        raise ProbeNotConfiguredError(f"The `postgres` source of {service} has no `dsn`.")
    return dsn


async def _row(
    ctx: Context, service: str, sql: str, *arguments: int, sees_sessions: bool = True
) -> figures.Row:
    async with reading(_dsn(ctx, service), limit_s=ctx.timeout_s * SHARE_OF_TIME) as connection:
        if sees_sessions:
            await figures.refuse_blindness(connection)
        row: figures.Row = await connection.fetchrow(sql, *arguments)
    return row


def _figure(
    ctx: Context, service: str, value: float, *, unit: str, text: str, data: JsonObject | None = None
) -> Measurement:
    return Measurement(value=value, unit=unit, at=ctx.clock.now(), text=f"{service}: {text}", data=data or {})


def _looked_at(answers: Iterable[object]) -> str:
    read = [answer for answer in answers if isinstance(answer, DatabaseActivity)]
    sessions = sum(activity.used for activity in read)
    return (
        f"{sessions} sessions of the database of {listed([a.service for a in read], most=4) or 'no service'}"
    )


def _servers(ctx: Context, service: str) -> list[_Server]:
    by_dsn: dict[str, list[str]] = {}
    for entry in ctx.catalogue.around(service):
        dsn = entry.sources.get("postgres", {}).get("dsn")
        if dsn:
            by_dsn.setdefault(dsn, []).append(entry.name)
    if not by_dsn:
        raise ProbeNotConfiguredError(
            f"Neither {service} nor any service beside it has a `postgres` source with a `dsn`."
        )
    return [_Server(dsn=dsn, services=tuple(names)) for dsn, names in by_dsn.items()]


async def _ask(server: _Server, *, limit_s: float) -> DatabaseActivity | Finding:
    name = server.services[0]
    try:
        return await activity(server.dsn, service=name, limit_s=limit_s)
    except NoSlotLeftError as error:
        return _evidence(name, FindingKind.DB_CONNECTIONS_HIGH, error.why, 0.95)
    except ServerDownError as error:
        return _evidence(name, FindingKind.DB_DOWN, error.why, 0.9)


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
