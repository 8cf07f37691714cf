"""Reads the logs of several services, from any kind of store, and evaluates them in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.diagnosis.signals.logs import LogRead, findings_of
from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Finding, FindingKind, Findings
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, listed
from bot.engine.plugins import Context
from bot.probes._shared.json_api import of_each
from bot.probes.logs import elastic as _elastic
from bot.probes.logs import loki as _loki
from bot.probes.logs.files import BUDGET_BYTES, is_partial, read_tail, refuse_garbage, unread_of

StoreAnswer = tuple[dict[str, LogRead], list[str]]
"""The logs that were read, by service, and descriptions of what was not read."""

Store = Callable[..., Awaitable[StoreAnswer]]
"""``store(ctx, entries, start_s=…, end_s=…)``; raises ``ProbeUnavailableError`` if none can be read."""


async def read_logs(
    ctx: Context, service: str, *, stores: Mapping[str, tuple[str, Store]], since_s: float, neighbours: bool
) -> Findings:
    """Return what is unusual in a service's logs, and with ``neighbours`` its dependencies' and callers'.

    ``stores`` maps a kind of source to the field that it must have and the function that reads it.  Each
    service is read from the first store that it has.

    Raises:
        ProbeNotConfiguredError: none of these services has such a source.
        ProbeUnavailableError: no source can be read; that does not mean that the logs are quiet.
        ProbeGarbageError: a source does not hold logs.
    """
    kept = _kept(ctx, service, stores, neighbours=neighbours)
    end_s = ctx.clock.now().timestamp()
    window = {"start_s": end_s - since_s, "end_s": end_s}
    answers = await asyncio.gather(
        *(stores[kind][1](ctx, entries, **window) for kind, entries in kept.items()), return_exceptions=True
    )
    below = {entry.name for entry in ctx.catalogue.downstream(service)}
    reads: dict[str, LogRead] = {}
    gaps: list[str] = []
    failures: list[ProbeUnavailableError] = []
    for entries, answer in zip(kept.values(), answers, strict=True):
        if isinstance(answer, ProbeUnavailableError):
            failures.append(answer)
            gaps.append(f"{listed([entry.name for entry in entries], most=4)}: {answer}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            reads |= answer[0]
            gaps.extend(answer[1])
    asked = {entry.name for entries in kept.values() for entry in entries}
    if asked & below and not reads.keys() & below:  # what the callers log says nothing of the service
        why = f"No log of {service} or of what it depends on can be read: {'; '.join(gaps)}."
        raise next(iter(failures), ProbeUnavailableError(why))
    names = [entry.name for entries in kept.values() for entry in entries]
    return await asyncio.to_thread(
        _judge, reads, gaps=gaps, of=listed(names, most=4), names=ctx.catalogue.names, since_s=since_s
    )


async def files(_: Context, entries: Sequence[Service], *, start_s: float, end_s: float) -> StoreAnswer:
    """Return what log files of JSON lines hold, at most 10 MB in all.

    Raises:
        ProbeUnavailableError: there is no such file, or none may be read.
        ProbeGarbageError: most lines of every file are not JSON objects with a time.
    """
    paths = {entry.name: entry.sources["logs"]["path"] for entry in entries}
    return await asyncio.to_thread(_tails, paths, start_s=start_s, end_s=end_s)


async def loki(ctx: Context, entries: Sequence[Service], *, start_s: float, end_s: float) -> StoreAnswer:
    """Return what Loki holds.

    Raises:
        ProbeUnavailableError: no Loki can be read.
        ProbeGarbageError: the server is not Loki.
    """

    async def ask(entry: Service) -> tuple[LogRead, list[str]]:
        return await _loki.read(ctx, entry, start_s=start_s, end_s=end_s)

    return _by_service(*await of_each(entries, ask))


async def elastic(ctx: Context, entries: Sequence[Service], *, start_s: float, end_s: float) -> StoreAnswer:
    """Return what Elasticsearch or OpenSearch holds.

    Raises:
        ProbeUnavailableError: no server can be read.
        ProbeGarbageError: the server is not Elasticsearch, or its documents have no time.
    """

    async def ask(entry: Service) -> tuple[LogRead, list[str]]:
        return await _elastic.read(ctx, entry, start_s=start_s, end_s=end_s)

    return _by_service(*await of_each(entries, ask))


STORES: Mapping[str, tuple[str, Store]] = {
    "logs": ("path", files),
    "loki": ("url", loki),
    "elastic": ("url", elastic),
}
"""The log stores: the kind of source, the field that it must have, and the function that reads it."""


def _by_service(answers: Mapping[str, tuple[LogRead, list[str]]], unread: list[str]) -> StoreAnswer:
    gaps = [f"{name}: {gap}" for name, (_, missing) in answers.items() for gap in missing]
    return {name: read for name, (read, _) in answers.items()}, [*unread, *gaps]


def _kept(
    ctx: Context, service: str, stores: Mapping[str, tuple[str, Store]], *, neighbours: bool
) -> dict[str, list[Service]]:
    scope = ctx.catalogue.around(service) if neighbours else (ctx.service(service),)
    kept: dict[str, list[Service]] = {}
    for entry in scope:
        kinds = (kind for kind, (name, _) in stores.items() if entry.sources.get(kind, {}).get(name))
        for kind in list(kinds)[:1]:
            kept.setdefault(kind, []).append(entry)
    if not kept:
        wanted = " or ".join(f"`{kind}` source with a `{name}`" for kind, (name, _) in stores.items())
        raise ProbeNotConfiguredError(f"Neither {service} nor any service beside it has a {wanted}.")
    return kept


def _tails(paths: Mapping[str, str], *, start_s: float, end_s: float) -> StoreAnswer:
    budget = BUDGET_BYTES // len(paths)
    tails = {name: read_tail(path, start_s=start_s, budget=budget) for name, path in paths.items()}
    gaps = [f"{name}: {gap}" for name, tail in tails.items() for gap in tail.gaps]
    counts = {name: {"good": len(tail.lines), "unread": tail.unread} for name, tail in tails.items()}
    gaps.extend(f"{name}: {unread_of(**count)}" for name, count in counts.items() if count["unread"])
    if not any(tail.files for tail in tails.values()):
        raise ProbeUnavailableError(f"No log file can be read: {'; '.join(gaps)}.")
    refuse_garbage(
        good=sum(count["good"] for count in counts.values()),
        unread=sum(count["unread"] for count in counts.values()),
    )
    reads = {
        name: LogRead(
            service=name,
            lines=tail.lines,
            start_s=max(start_s, tail.starts_s),
            end_s=end_s,
            path=paths[name],
            partial=unread_of(**counts[name]) if is_partial(**counts[name]) else "",
        )
        for name, tail in tails.items()
        if tail.files
    }
    return reads, gaps


def _judge(
    reads: Mapping[str, LogRead], *, gaps: Sequence[str], of: str, names: Sequence[str], since_s: float
) -> Findings:
    found: list[Finding] = []
    normal: list[str] = []
    for name, read in reads.items():
        mine = findings_of(read, names=names)
        found.extend(mine)
        if not read.partial and not any(finding.kind is FindingKind.LOG_ERRORS for finding in mine):
            normal.append(f"{name}: no more errors than usual in {len(read.lines)} lines")
    total = sum(len(read.lines) for read in reads.values())
    return Findings(
        items=tuple(found),
        looked_at=f"{total} log lines of {of} over {duration(since_s)}",
        normal=tuple(normal),
        gaps=tuple(gaps),
        partial=tuple(f"{name}: {read.partial}" for name, read in reads.items() if read.partial),
    )
