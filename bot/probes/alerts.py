"""Reads which alerts fire, or have just fired: from the bot's own records and from Prometheus' rules."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce

from bot.diagnosis.alerts.firings import Firing, PastFirings, findings_of
from bot.domain.diagnoses.finding import Evidence, Findings
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, listed
from bot.domain.monitoring.alert import Alert
from bot.engine.plugins import Context, probe
from bot.probes.prometheus.alerts import DAY_S, PAST_DAYS, read_alerts

_SHARE_OF_TIME = 0.85
_MOST = 2000
_Answer = tuple[list[Firing], PastFirings]


@probe(specialist="monitoring")
async def recent(ctx: Context, *, service: str, since_s: float = 1800, alert: str = "") -> Findings:
    """Which alerts fire, or fired in the last ``since_s`` s, for a service, its callers and its dependencies.

    Reads the bot's own alert records, and the ``ALERTS`` series of each Prometheus that the catalogue names
    for these services; both also show on how many of the 28 days before each alert fired.  ``alert`` is the
    id of the alert that is being triaged, if there is one.  A firing alert alone is not evidence of a fault:
    its rule may be wrong.  A Prometheus that cannot be read is reported as a gap.

    Raises:
        ProbeNotConfiguredError: nothing reports alerts of these services: no Prometheus and no monitor, and
            none was sent to the bot in 28 days.
        ProbeUnavailableError: likewise, but there are Prometheus servers, of which none answered.
    """
    entries = (*ctx.catalogue.downstream(service), *ctx.catalogue.upstream(service))
    names = tuple(dict.fromkeys(entry.name for entry in entries))
    end = ctx.clock.now()
    start = end - timedelta(seconds=since_s)
    answers, failures = await _ask_all(ctx, service, names, start=start, end=end)
    left_out = [
        f"{alert.service or service}: {alert.summary}"
        for alert in await ctx.alarms.fired(since=end, limit=_MOST)
        if alert.left_out and alert.status == "firing" and alert.service in {"", *names}
    ]
    past = reduce(PastFirings.and_of, (other for _, other in answers))
    firings = [firing for found, _ in answers for firing in found]
    reported = past.days or firings or left_out or any(entry.monitors for entry in entries)
    if len(answers) == 1 and not reported:
        # The book is always there; an empty one that nobody writes into says nothing.
        raise next(iter(failures.values()), None) or ProbeNotConfiguredError(
            f"Nothing reports alerts of {service}: no Prometheus, no monitor, and none was sent to the bot."
        )
    return Findings(
        items=findings_of(firings, services=names, past=past, question=alert),
        looked_at=f"alerts of {listed(names, most=4)} over {duration(since_s)}",
        gaps=(*(f"{who}: {failure}" for who, failure in failures.items()), *left_out),
    )


async def _ask_all(
    ctx: Context, service: str, names: Sequence[str], *, start: datetime, end: datetime
) -> tuple[list[_Answer], dict[str, ProbeUnavailableError]]:
    """Read all sources at once; return their answers, and which could not be read, by their first service."""
    watched = _watched(ctx, names)
    answers = await asyncio.gather(
        _book(ctx, names, start=start, end=end),
        *(_prometheus(ctx, source, mine, start=start, end=end) for source, mine in watched),
        return_exceptions=True,
    )
    readable: list[_Answer] = []
    failures: dict[str, ProbeUnavailableError] = {}
    for who, answer in zip((service, *(mine[0] for _, mine in watched)), answers, strict=True):
        if isinstance(answer, ProbeUnavailableError):
            failures[who] = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            readable.append(answer)
    return readable, failures


def _watched(ctx: Context, names: Sequence[str]) -> list[tuple[Mapping[str, str], list[str]]]:
    """Return each Prometheus once, with the services that it watches."""
    sources: dict[str, Mapping[str, str]] = {}
    watched: dict[str, list[str]] = defaultdict(list)
    for name in names:
        source = ctx.service(name).sources.get("prometheus", {})
        url = source.get("url", "").rstrip("/")
        if url:
            sources.setdefault(url, source)
            watched[url].append(name)
    return [(sources[url], mine) for url, mine in watched.items()]


async def _prometheus(
    ctx: Context, source: Mapping[str, str], names: Sequence[str], *, start: datetime, end: datetime
) -> _Answer:
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            return await read_alerts(ctx, source, names, start=start, end=end)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"Prometheus did not answer within {duration(limit_s)}.") from error


async def _book(ctx: Context, names: Sequence[str], *, start: datetime, end: datetime) -> _Answer:
    kept = await ctx.alarms.fired(since=start - timedelta(days=PAST_DAYS), limit=_MOST)
    mine = [alert for alert in kept if alert.service in names and not alert.unknown and not alert.left_out]
    found = [_firing(alert) for alert in mine if alert.status == "firing" or _end(alert, end) >= start]
    fired: dict[tuple[str, str], frozenset[int]] = defaultdict(frozenset)
    for alert in mine:
        fired[alert.service, alert.name] |= _days(alert, start=start)
    first = min((alert.starts_at for alert in kept), default=start)
    if len(kept) == _MOST:  # the last to end come first, so records before this one are incomplete
        first = _end(kept[-1], end)
    days = min(PAST_DAYS, math.ceil((start - first).total_seconds() / DAY_S))
    return found, PastFirings(days=max(0, days), fired={key: days for key, days in fired.items() if days})


def _firing(alert: Alert) -> Firing:
    text = alert.summary or alert.value or f"{alert.name} of {alert.service}, as {alert.source} reported"
    return Firing(
        service=alert.service,
        name=alert.name,
        began_at=alert.starts_at,
        ended_at=None if alert.status == "firing" else alert.ends_at or alert.starts_at,
        severity=alert.severity,
        evidence=Evidence(text=text, url=alert.url),
        ids=frozenset({alert.id}),
    )


def _days(alert: Alert, *, start: datetime) -> frozenset[int]:
    """Return on which of the days before ``start`` an alert fired, counted backwards from ``start``."""
    first = (start - alert.starts_at).total_seconds()
    last = max(0.0, (start - _end(alert, start)).total_seconds())
    if first <= 0:
        return frozenset()
    return frozenset(range(int(last // DAY_S), min(PAST_DAYS, math.ceil(first / DAY_S))))


def _end(alert: Alert, now: datetime) -> datetime:
    return now if alert.status == "firing" else alert.ends_at or alert.starts_at
