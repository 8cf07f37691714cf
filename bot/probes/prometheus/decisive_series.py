"""Reads the series behind a finding from Prometheus, with as many points as a chart needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.chart import Point
from bot.engine.plugins import Context
from bot.probes.prometheus.api import ask, number

_BEFORE = timedelta(minutes=10)
_LEAST = timedelta(minutes=15)
_MOST_POINTS = 180
_MOST_SERIES = 3


async def series_behind(
    ctx: Context, service: str, query: str, *, onset: datetime | None
) -> dict[str, list[Point]]:
    """Return the points of a query's series, by version or other label, over 15 minutes or more until now.

    They begin ten minutes before the onset or earlier.  A missing sample is a point without a value.  Of many
    series the three that are highest now are returned; one without labels is named after the service.

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
    highest = sorted(found, key=lambda result: -_last(result.values))[:_MOST_SERIES]
    return {
        _name(result.metric) or service: _with_gaps(
            [(float(at_s), _finite(number(text))) for at_s, text in result.values], step_s=step_s
        )
        for result in highest
    }


def _name(labels: Mapping[str, str]) -> str:
    """Return what distinguishes a series: its version, or else all its labels' values."""
    return labels.get("version") or " ".join(value for name, value in labels.items() if name != "__name__")


def _with_gaps(points: Sequence[Point], *, step_s: float) -> list[Point]:
    """Return points with one without a value where samples are missing, so that no line crosses the gap."""
    shown: list[Point] = []
    for at_s, value in points:
        if shown and at_s - shown[-1][0] > 1.5 * step_s:
            shown.append((shown[-1][0] + step_s, None))
        shown.append((at_s, value))
    return shown


def _last(series: list[tuple[float, str]]) -> float:
    value = _finite(number(series[-1][1])) if series else None
    return -math.inf if value is None else value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
