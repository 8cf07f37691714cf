"""Reads the panels of a service's metrics from Prometheus: recent data finely, older data coarsely."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

import numpy as np

from bot.diagnosis.signals.families import FAMILIES, NAMES, MetricFamily
from bot.diagnosis.signals.metrics import MetricPanel, MetricSeries, MetricsRead
from bot.domain.errors import ProbeUnavailableError
from bot.domain.formatting import duration
from bot.engine.plugins import Context
from bot.probes._shared.connect import SHARE_OF_TIME
from bot.probes.prometheus.api import SeriesResult, ask_part, graph_of, number, selector_of

_FINE_POINTS = 300
_COARSE_POINTS = 150
_LEAST_WINDOW_S = 5
_SCRAPES_PER_WINDOW = 4
_DEFAULT_SCRAPE_S = 15.0
_LOOK_BACK = "5m"


async def read_panels(ctx: Context, name: str, *, since_s: float) -> MetricsRead:
    """Return every family of a service's metrics over the last ``since_s`` seconds.

    Raises:
        ProbeUnavailableError: no answer in time, or no data about this service.
        ProbeGarbageError: the server is not Prometheus.
    """
    # A little less than the step's time, so that one hanging neighbour costs only its own answer.
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            return await _read_all(ctx, name, since_s=since_s)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"Prometheus did not answer within {duration(limit_s)}.") from error


async def _read_all(ctx: Context, name: str, *, since_s: float) -> MetricsRead:
    source = ctx.source(name, "prometheus")
    end_s = ctx.clock.now().timestamp()
    up_expr = f"up{{{selector_of(source)}}}[{_LOOK_BACK}]"
    targets, missing = await ask_part(ctx, source, "query", {"query": up_expr, "time": f"{end_s:.3f}"})
    up = [_series(result, label=result.metric.get("instance", "")) for result in targets]
    scrape_s = _scrape_s(up)
    window_s = max(_LEAST_WINDOW_S, math.ceil(_SCRAPES_PER_WINDOW * scrape_s))
    answers = await asyncio.gather(
        *(
            _panel(ctx, source, family, end_s=end_s, since_s=since_s, step_s=scrape_s, window_s=window_s)
            for family in FAMILIES
        ),
        return_exceptions=True,
    )
    # One family may not fit the labels of this service; that says nothing of the others.
    parts = [answer for answer in answers if isinstance(answer, tuple)]
    panels = [panel for panel, _ in parts]
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        if not panels or not isinstance(failure, ProbeUnavailableError):
            raise failure
    return MetricsRead(
        service=name,
        panels=tuple(panels),
        unread=tuple(
            family.name for family, answer in zip(FAMILIES, answers, strict=True) if answer in failures
        ),
        missing=tuple(dict.fromkeys([*missing, *(why for _, told in parts for why in told)])),
        up=tuple(up),
        end_s=end_s,
        stale_s=max(3 * scrape_s, window_s),
        window_s=window_s,
    )


async def _panel(
    ctx: Context,
    source: Mapping[str, str],
    family: MetricFamily,
    *,
    end_s: float,
    since_s: float,
    step_s: float,
    window_s: int,
) -> tuple[MetricPanel, list[str]]:
    """Return one family's panel, and why it is only a part of the data."""
    expr = family.query(selector=selector_of(source), window_s=window_s, names=source)
    fine_s = min(since_s, _FINE_POINTS * step_s)
    spans = [(end_s - fine_s, end_s, step_s)]
    if fine_s < since_s:
        coarse_s = max(step_s, since_s / _COARSE_POINTS)
        spans.append((end_s - since_s, end_s - fine_s - step_s, coarse_s))
    results = await asyncio.gather(*(_range(ctx, source, expr, part=part) for part in spans))
    label = {**NAMES, **source}.get(family.by, "")
    panel = MetricPanel(
        family=family,
        series=_merged([result for read, _ in reversed(results) for result in read], label=label),
        query=expr,
        url=graph_of(source, expr, since_s=since_s),
    )
    return panel, [why for _, told in results for why in told]


async def _range(
    ctx: Context, source: Mapping[str, str], expr: str, *, part: tuple[float, float, float]
) -> tuple[list[SeriesResult], tuple[str, ...]]:
    start_s, end_s, step_s = part
    params = {"query": expr, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:.3f}"}
    return await ask_part(ctx, source, "query_range", params)


def _merged(results: Sequence[SeriesResult], *, label: str) -> tuple[MetricSeries, ...]:
    """Return each series joined from its parts, which come oldest first."""
    parts: dict[str, list[tuple[float, str]]] = {}
    for result in results:
        parts.setdefault(result.metric.get(label, "") if label else "", []).extend(result.values)
    return tuple(_series(SeriesResult(values=values), label=name) for name, values in sorted(parts.items()))


def _series(result: SeriesResult, *, label: str) -> MetricSeries:
    return MetricSeries(
        label=label,
        times_s=np.array([at for at, _ in result.values], dtype=np.float64),
        values=np.array([number(text) for _, text in result.values], dtype=np.float64),
    )


def _scrape_s(up: Sequence[MetricSeries]) -> float:
    gaps = [float(np.median(np.diff(series.times_s))) for series in up if series.times_s.size > 1]
    return max(1.0, round(min(gaps), 1)) if gaps else _DEFAULT_SCRAPE_S


def count_series(reads: Sequence[MetricsRead]) -> int:
    """Return the number of series that were read, targets included."""
    return sum(len(panel.series) for read in reads for panel in read.panels) + sum(
        len(read.up) for read in reads
    )
