"""Reads log files of JSON lines: errors, new and growing messages of a service and all it stands on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from bot.analysis.loglines import LogLine
from bot.analysis.logs import LogRead, findings_of
from bot.analysis.words import figure, listing, span
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Finding, FindingKind, Findings, Measurement
from bot.engine.plugins import Context, probe
from bot.probes._logfiles import BUDGET_BYTES, Tail, read_tail, refuse_garbage

_MOST_CHARS = 4000
_SAMPLE_CHARS = 200


@probe(specialist="logs")
async def errors(ctx: Context, *, service: str, since_s: float = 1800, neighbours: bool = True) -> Findings:
    """What the logs of a service, and with ``neighbours`` of all it stands on, say more often than before.

    Reads the last ``since_s`` seconds, at most 10 MB in all; how much of that was read is said.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``logs`` source with a ``path``.
        ProbeUnavailableError: there is no such file, or none may be read; that is not a quiet log.
        ProbeGarbageError: most lines of every file are no JSON objects with a time.
    """
    scope = ctx.catalogue.downstream(service) if neighbours else (ctx.service(service),)
    paths = {entry.name: path for entry in scope if (path := entry.sources.get("logs", {}).get("path"))}
    if not paths:
        raise ProbeNotConfiguredError(f"{service} and what it stands on have no `logs` source with a `path`.")
    end_s = ctx.clock.now().timestamp()
    return await asyncio.to_thread(
        _look, paths, names=ctx.catalogue.names, start_s=end_s - since_s, end_s=end_s
    )


@probe(specialist="logs")
async def matches(
    ctx: Context,
    *,
    service: str,
    pattern: re.Pattern[str],
    window_s: Annotated[float, Field(ge=1)] = 300,
    levels: tuple[str, ...] = (),
) -> Measurement:
    """How many lines of a service's logs match ``pattern``, a minute, over the last ``window_s`` seconds.

    Looks in a line's message and error (the first 4000 characters of each), in lines of any level or of
    ``levels`` alone.  Reads at most 10 MB; where the window holds more, the rate is that of the part which
    was read.  ``data`` holds ``matches``, ``lines``, ``read_s`` (the seconds that were read) and the ``last``
    match.

    Raises:
        ProbeNotConfiguredError: the service has no ``logs`` source with a ``path``.
        ProbeUnavailableError: there is no such file, or none may be read; that is not a rate of 0.
        ProbeGarbageError: most lines are no JSON objects with a time.
    """
    path = ctx.source(service, "logs").get("path")
    if not path:
        raise ProbeNotConfiguredError(f"The `logs` source of {service} has no `path`.")
    at = ctx.clock.now()
    start_s, end_s = at.timestamp() - window_s, at.timestamp()
    tail = await asyncio.to_thread(read_tail, path, start_s=start_s, budget=BUDGET_BYTES)
    if not tail.files:
        raise ProbeUnavailableError(f"No log file of {service} can be read: {'; '.join(tail.gaps)}.")
    refuse_garbage(good=len(tail.lines), malformed=tail.malformed)
    found = await asyncio.to_thread(_matching, tail.lines, pattern, {level.upper() for level in levels})
    read_s = end_s - max(start_s, tail.starts_s) if tail.cut else window_s
    rate = len(found) / max(read_s, 1.0) * 60
    said = f"{len(found)} of {len(tail.lines)} lines match `{pattern.pattern}`"
    return Measurement(
        value=rate,
        unit="lines/min",
        at=at,
        query=pattern.pattern,
        text=f"{service}: {figure(rate, 'lines/min')} over {span(read_s)}: {said}",
        data={
            "matches": len(found),
            "lines": len(tail.lines),
            "read_s": round(read_s, 1),
            "last": found[-1].message[:_SAMPLE_CHARS] if found else "",
        },
    )


def _matching(lines: Sequence[LogLine], pattern: re.Pattern[str], levels: set[str]) -> list[LogLine]:
    return [
        line
        for line in lines
        if (not levels or line.level in levels)
        and (pattern.search(line.message[:_MOST_CHARS]) or pattern.search(line.error[:_MOST_CHARS]))
    ]


def _look(paths: dict[str, str], *, names: Sequence[str], start_s: float, end_s: float) -> Findings:
    budget = BUDGET_BYTES // len(paths)
    tails = {name: read_tail(path, start_s=start_s, budget=budget) for name, path in paths.items()}
    if not any(tail.files for tail in tails.values()):
        raise ProbeUnavailableError(f"No log file can be read: {'; '.join(_gaps(tails))}.")
    total = sum(len(tail.lines) for tail in tails.values())
    malformed = sum(tail.malformed for tail in tails.values())
    refuse_garbage(good=total, malformed=malformed)
    found: list[Finding] = []
    normal: list[str] = []
    for name, tail in tails.items():
        covered_s = max(start_s, tail.starts_s)
        read = LogRead(service=name, lines=tail.lines, start_s=covered_s, end_s=end_s, path=paths[name])
        mine = findings_of(read, names=names)
        found.extend(mine)
        if tail.files and not any(finding.kind is FindingKind.LOG_ERRORS for finding in mine):
            normal.append(f"{name}: no more errors than usual in {len(tail.lines)} lines")
    return Findings(
        items=tuple(found),
        looked_at=f"{total} log lines of {listing(list(paths))} over {span(end_s - start_s)}",
        normal=tuple(normal),
        gaps=tuple(_gaps(tails)),
    )


def _gaps(tails: dict[str, Tail]) -> list[str]:
    gaps = [f"{name}: {gap}" for name, tail in tails.items() for gap in tail.gaps]
    gaps.extend(
        f"{name}: {tail.malformed} lines are no JSON with a time"
        for name, tail in tails.items()
        if tail.malformed
    )
    return gaps
