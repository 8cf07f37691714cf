"""Reads logs: errors, new messages and growing ones of a service, and how often a pattern matches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from bot.diagnosis.signals.log_levels import level_named
from bot.diagnosis.signals.loglines import ParsedLine
from bot.domain.diagnoses.finding import Findings, Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, figure
from bot.domain.pattern import Pattern
from bot.engine.plugins import Context, probe
from bot.probes.logs.files import BUDGET_BYTES, is_partial, read_tail, refuse_garbage, unread_of
from bot.probes.logs.reading import STORES, read_logs

_MOST_CHARS = 4000
_SAMPLE_CHARS = 200


@probe(specialist="logs")
async def errors(ctx: Context, *, service: str, since_s: float = 1800, neighbours: bool = True) -> Findings:
    """What is new or more frequent in the logs of a service, and with ``neighbours`` of those around it.

    These are its dependencies and at most eight services that call it directly.

    Reads the last ``since_s`` seconds of the source that the catalogue names for each service: ``logs``
    (files, at most 10 MB in all), ``loki`` or ``elastic``.  Reports how much of it was read.

    Raises:
        ProbeNotConfiguredError: none of these services has such a source.
        ProbeUnavailableError: no source can be read; that does not mean that the logs are quiet.
        ProbeGarbageError: a source does not hold logs.
    """
    return await read_logs(ctx, service, stores=STORES, since_s=since_s, neighbours=neighbours)


@probe(specialist="logs")
async def matches(
    ctx: Context,
    *,
    service: str,
    pattern: Pattern,
    window_s: Annotated[float, Field(ge=1)] = 300,
    levels: tuple[str, ...] = (),
) -> Measurement:
    """How many lines of a service's logs match ``pattern``, a minute, over the last ``window_s`` seconds.

    ``pattern`` is a regular expression without look-around and back references.  It is looked for in a line's
    message and error (the first 4000 characters of each), in lines of any level or of ``levels`` alone.
    Reads at most 10 MB; where the window holds more, the rate is that of the part which was read.  ``data``
    holds ``matches``, ``lines``, ``unread`` (lines that could not be read), ``read_s`` (the seconds that were
    read) and the ``last`` match.

    Raises:
        ProbeNotConfiguredError: the service has no ``logs`` source with a ``path``.
        ProbeUnavailableError: there is no such file, none may be read, or nothing matches and more than 5 %
            of the lines could not be read; that is not a rate of 0.
        ProbeGarbageError: most lines are not JSON objects with a time and a message.
    """
    path = ctx.source(service, "logs").get("path")
    if not path:
        raise ProbeNotConfiguredError(f"The `logs` source of {service} has no `path`.")
    at = ctx.clock.now()
    start_s, end_s = at.timestamp() - window_s, at.timestamp()
    tail = await asyncio.to_thread(read_tail, path, start_s=start_s, budget=BUDGET_BYTES)
    if not tail.files:
        raise ProbeUnavailableError(f"No log file of {service} can be read: {'; '.join(tail.gaps)}.")
    count = {"good": len(tail.lines), "unread": tail.unread}
    refuse_garbage(**count)
    found = await asyncio.to_thread(_matching, tail.lines, pattern, {level_named(level) for level in levels})
    read_s = end_s - max(start_s, tail.starts_s) if tail.cut else window_s
    rate = len(found) / max(read_s, 1.0) * 60
    if not found and is_partial(**count):
        raise ProbeUnavailableError(f"Whether the log of {service} matches is unknown: {unread_of(**count)}.")
    share = f"{len(found)} of {len(tail.lines)} lines match `{pattern.text}`"
    share += f"; {unread_of(**count)}" if tail.unread else ""
    return Measurement(
        value=rate,
        unit="lines/min",
        at=at,
        query=pattern.text,
        text=f"{service}: {figure(rate, 'lines/min')} over {duration(read_s)}: {share}",
        data={
            "matches": len(found),
            "lines": len(tail.lines),
            "unread": tail.unread,
            "read_s": round(read_s, 1),
            "last": found[-1].message[:_SAMPLE_CHARS] if found else "",
        },
    )


def _matching(lines: Sequence[ParsedLine], pattern: Pattern, levels: set[str]) -> list[ParsedLine]:
    return [
        line
        for line in lines
        if (not levels or line.level in levels)
        and (pattern.found_in(line.message[:_MOST_CHARS]) or pattern.found_in(line.error[:_MOST_CHARS]))
    ]
