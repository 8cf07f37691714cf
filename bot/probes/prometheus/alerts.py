"""Reads which alerts fired, now and on the days before, from Prometheus' ``ALERTS`` series."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.diagnosis.alerts.firings import Firing, PastFirings
from bot.domain.diagnoses.finding import Evidence
from bot.domain.errors import ProbeNotConfiguredError
from bot.domain.wording import moment
from bot.engine.plugins import Context
from bot.probes.prometheus.api import SeriesResult, ask, graph_of, selector_of

PAST_DAYS = 28
"""How many days before the window are read: four weeks, as some alerts come at the end of a month."""
DAY_S = 86_400
_POINTS = 300
_LEAST_STEP_S = 5
_LABELS = "alertname, service, job, severity"


async def read_alerts(
    ctx: Context, source: Mapping[str, str], names: Sequence[str], *, start: datetime, end: datetime
) -> tuple[list[Firing], PastFirings]:
    """Return the alerts of the services ``names`` between two times, and on which days they fired before.

    An alert belongs to the service in its label ``service`` or, without one, in its ``job``.

    Raises:
        ProbeUnavailableError: no answer; that does not mean that no alert fires.
        ProbeGarbageError: the server is not Prometheus.
    """
    expr = f"max by ({_LABELS}) ({_firing(names)})"
    step_s = max(_LEAST_STEP_S, math.ceil((end - start).total_seconds() / _POINTS))
    first_s = math.floor((end - start).total_seconds() / step_s) * step_s  # the last step falls on ``end``
    recent = {"start": f"{end.timestamp() - first_s:.3f}", "end": _at(end), "step": str(step_s)}
    daily = {"start": _at(start, days_before=PAST_DAYS - 1), "end": _at(start), "step": str(DAY_S)}
    now, before, known = await asyncio.gather(
        ask(ctx, source, "query_range", {"query": expr, **recent}),
        ask(
            ctx,
            source,
            "query_range",
            {"query": f"max by ({_LABELS}) ({_firing(names, over='1d')})", **daily},
        ),
        ask(ctx, source, "query_range", {"query": _scraped(source), **daily}),
    )
    link = graph_of(source, expr, since_s=(end - start).total_seconds())
    found = [
        _firing_of(series, (service, name), start=start, end=end, step_s=step_s, query=expr, url=link)
        for series in now
        if series.values
        for service, name in _named(series, names)
    ]
    return found, _past(before, known, names, start=start)


def _firing(names: Sequence[str], *, over: str = "") -> str:
    """Return the query for the firing alerts of services, at each step or ``over`` a time range."""
    these = json.dumps("|".join(re.escape(name) for name in names))
    series = (
        f'ALERTS{{alertstate="firing",service=~{these}}}',
        f'ALERTS{{alertstate="firing",service="",job=~{these}}}',
    )
    return " or ".join(f"max_over_time({one}[{over}])" if over else one for one in series)


def _scraped(source: Mapping[str, str]) -> str:
    """Return the query for days with scrapes: a day without alerts counts as quiet only if it has some."""
    try:
        selector = selector_of(source)
    except ProbeNotConfiguredError:
        selector = ""
    return f"max(max_over_time(up{{{selector}}}[1d]))"


def _named(series: SeriesResult, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    service = series.metric.get("service") or series.metric.get("job", "")
    name = series.metric.get("alertname", "")
    if name and service in names:
        yield service, name


def _firing_of(
    series: SeriesResult,
    key: tuple[str, str],
    *,
    start: datetime,
    end: datetime,
    step_s: float,
    query: str,
    url: str,
) -> Firing:
    """Return the last episode within the window: a run of samples without a gap."""
    times = [at for at, _ in series.values]
    began = times[-1]
    for at in reversed(times):
        if began - at > 1.5 * step_s:
            break
        began = at
    service, name = key
    severity = series.metric.get("severity", "")
    return Firing(
        service=service,
        name=name,
        began_at=moment(began) if began - start.timestamp() >= 2 * step_s else None,
        ended_at=moment(times[-1]) if end.timestamp() - times[-1] > 2 * step_s else None,
        severity=severity,
        evidence=Evidence(text=f"{name} of {service}, as Prometheus reports", query=query, url=url),
    )


def _past(
    before: Sequence[SeriesResult], known: Sequence[SeriesResult], names: Sequence[str], *, start: datetime
) -> PastFirings:
    fired: dict[tuple[str, str], set[int]] = defaultdict(set)
    for series in before:
        for key in _named(series, names):
            fired[key] |= {_day(at, start) for at, _ in series.values}
    looked = {_day(at, start) for series in known for at, _ in series.values}
    deepest = max((day for days in (looked, *fired.values()) for day in days), default=-1)
    return PastFirings(days=deepest + 1, fired={key: frozenset(days) for key, days in fired.items()})


def _day(at: float, start: datetime) -> int:
    return round((start.timestamp() - at) / DAY_S)


def _at(at: datetime, *, days_before: int = 0) -> str:
    return f"{at.timestamp() - days_before * DAY_S:.3f}"
