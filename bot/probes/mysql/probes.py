"""Reads MySQL and MariaDB: blocking sessions, open transactions, connections, replication, slow queries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.diagnosis.signals.sessions import findings_of, normal_of
from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings
from bot.domain.errors import ProbeUnavailableError
from bot.domain.formatting import figure, listed
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME
from bot.probes._shared.json_api import having, of_each
from bot.probes.mysql.connection import MySQLStatus, MySQLUnusableError, read

_POSTGRES_ONLY = frozenset({"pid", "backend_start"})
"""The fields that PostgreSQL's actions need; removed so that no such action is offered for MySQL."""


@probe(specialist="database")
async def health(ctx: Context, *, service: str) -> Findings:
    """Problems in the MySQL or MariaDB servers of a service, its dependencies and callers; reads only.

    Asks ``dsn`` (``mysql://user:password@host:port``, ``mysqls://`` with TLS) of the ``mysql`` sources for
    blocking sessions, transactions left open, connections, replication and slow queries.  A server that
    refuses connections, or has none left, is a finding; one that cannot be reached is unavailable.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``mysql`` source with a ``dsn``.
        ProbeUnavailableError: no server could be read, or the bot's user cannot see other sessions.
        ProbeGarbageError: the server there is not MySQL.
    """
    entries = having(ctx, service, kind="mysql", fields=("dsn",), callers=True)
    servers = {entry.sources["mysql"]["dsn"]: entry for entry in reversed(entries)}

    async def ask(entry: Service) -> MySQLStatus | Finding:
        return await _ask(ctx, entry)

    answers, gaps = await of_each(reversed(servers.values()), ask)
    found: list[Finding] = []
    normal: list[str] = []
    for name, answer in answers.items():
        if isinstance(answer, Finding):
            found.append(answer)
            continue
        mine = [*map(_of_mysql, findings_of(answer.activity)), *_broken(name, answer)]
        found.extend(mine)
        normal.extend(normal_of(answer.activity, mine))
        normal.append(f"{name}: {answer.slow_queries} slow queries since its database started")
        if waits := answer.metadata_waits:
            gaps.append(f"{name}: {waits} sessions wait for a table's metadata lock; its holder is unknown")
    return Findings(
        items=tuple(found),
        looked_at=_looked_at(list(answers.values())),
        normal=tuple(normal),
        gaps=tuple(gaps),
    )


async def _ask(ctx: Context, entry: Service) -> MySQLStatus | Finding:
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    dsn, now = entry.sources["mysql"]["dsn"], ctx.clock.now()
    try:
        async with asyncio.timeout(limit_s):
            return await asyncio.to_thread(read, dsn, service=entry.name, limit_s=limit_s, now=now)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The database did not answer within {figure(limit_s, 's')}.") from error
    except MySQLUnusableError as error:
        kind = FindingKind.DB_CONNECTIONS_HIGH if error.full else FindingKind.DB_DOWN
        text = f"the database of {entry.name} cannot be used: {error.why}"
        return _finding(entry.name, kind, "connections" if error.full else "", text=text, strength=0.9)


def _broken(service: str, status: MySQLStatus) -> Sequence[Finding]:
    if not status.broken_replication:
        return ()
    text = f"in the database of {service}, {status.broken_replication}"
    return [_finding(service, FindingKind.DB_REPLICATION_LAG, "stopped", text=text, strength=0.7)]


def _of_mysql(finding: Finding) -> Finding:
    evidence = [
        each.model_copy(update={"query": "information_schema.INNODB_TRX"}) for each in finding.evidence
    ]
    data = {key: value for key, value in finding.data.items() if key not in _POSTGRES_ONLY}
    if "pid" in finding.data:
        data["session"] = finding.data["pid"]
    return finding.model_copy(update={"evidence": tuple(evidence), "data": data})


def _finding(service: str, kind: FindingKind, component: str, *, text: str, strength: float) -> Finding:
    return Finding(
        id=":".join(part for part in ("database", kind.value, service, component) if part),
        source="database",
        kind=kind,
        service=service,
        component=component,
        summary=f"{text[:1].upper()}{text[1:]}.",
        strength=strength,
        evidence=(Evidence(text=text),),
    )


def _looked_at(answers: Sequence[MySQLStatus | Finding]) -> str:
    read_of = [answer.activity for answer in answers if isinstance(answer, MySQLStatus)]
    sessions = sum(activity.used for activity in read_of)
    names = listed([activity.service for activity in read_of], most=4)
    return f"{sessions} sessions of the database of {names or 'no service'}"
