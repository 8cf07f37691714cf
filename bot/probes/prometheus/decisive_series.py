"""Reads the series behind a finding from Prometheus, with as many points as a chart needs."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from bot.domain.chart import Point
from bot.engine.plugins import Context
from bot.probes.prometheus.api import ask, number

_BEFORE = timedelta(minutes=5)
_LEAST = timedelta(minutes=6)
_MOST_POINTS = 120


async def series_behind(ctx: Context, service: str, query: str, *, onset: datetime | None) -> list[Point]:
    """Return a query's points from five minutes before the onset until now; a gap is a point without a value.

    Raises:
        ProbeNotConfiguredError: the service has no ``prometheus`` source.
        ProbeUnavailableError: no answer.
        ProbeGarbageError: the server is not Prometheus.
    """
    source, end = ctx.source(service, "prometheus"), ctx.clock.now()
    start = min(end - _LEAST, end if onset is None else onset - _BEFORE)
    step_s = max(1.0, math.ceil((end - start).total_seconds() / _MOST_POINTS))
    found = await ask(
        ctx,
        source,
        "query_range",
        {
            "query": query,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step_s:g}",
        },
    )
    values = max((result.values for result in found), key=_last, default=[])
    return [(float(at_s), _finite(number(text))) for at_s, text in values]


def _last(series: list[tuple[float, str]]) -> float:
    value = _finite(number(series[-1][1])) if series else None
    return -math.inf if value is None else value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
