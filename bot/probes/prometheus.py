"""Reads Prometheus: anomalies of a service and its neighbours, single values, firing alerts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from bot.analysis.families import FAMILIES, NAMES, Family
from bot.analysis.metrics import Panel, Read, Series, findings_of, normal_of
from bot.analysis.words import figure, listing, span
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Findings, Measurement
from bot.engine.plugins import Context, probe

_FINE_POINTS = 300
_COARSE_POINTS = 150
_LEAST_WINDOW_S = 5
_SCRAPES_PER_WINDOW = 4
_DEFAULT_SCRAPE_S = 15.0
_LOOK_BACK = "5m"
_SHARE_OF_TIME = 0.85


class _Result(BaseModel):
    metric: dict[str, str] = Field(default_factory=dict)
    values: list[tuple[float, str]] = Field(default_factory=list)
    value: tuple[float, str] | None = None


class _Data(BaseModel):
    result: list[_Result]


class _Answer(BaseModel):
    status: Literal["success"]
    data: _Data


class _Alert(BaseModel):
    labels: dict[str, str]
    state: str


class _AlertData(BaseModel):
    alerts: list[_Alert]


class _AlertAnswer(BaseModel):
    status: Literal["success"]
    data: _AlertData


@probe(specialist="monitoring")
async def anomalies(ctx: Context, *, service: str, since_s: float = 1800) -> Findings:
    """What is not as usual in the metrics of a service, its callers and all it stands on.

    Looks back ``since_s`` seconds: the last 300 scrapes at full resolution, older samples every few seconds.

    Raises:
        ProbeUnavailableError: no Prometheus of the services answers.
        ProbeGarbageError: what answers is no Prometheus.
        ProbeNotConfiguredError: the service has no ``prometheus`` source.
    """
    ctx.source(service, "prometheus")
    names = [s.name for s in (*ctx.catalogue.downstream(service), *ctx.catalogue.upstream(service))]
    asked = [name for name in dict.fromkeys(names) if ctx.service(name).sources.get("prometheus")]
    answers = await asyncio.gather(
        *(_read(ctx, name, since_s=since_s) for name in asked), return_exceptions=True
    )
    reads: list[Read] = []
    gaps: list[str] = []
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Read):
            reads.append(answer)
            gaps.extend([] if _count([answer]) else [f"{name}: Prometheus has no series of it"])
            if answer.unread:
                gaps.append(f"{name}: {listing(answer.unread)} could not be read")
        elif isinstance(answer, ProbeUnavailableError) and name != service:
            gaps.append(f"{name}: {answer}")
        else:
            raise answer
    # In a thread: half a second of arithmetic must not delay the probes that run beside this one.
    judged = await asyncio.to_thread(lambda: [findings_of(read) for read in reads])
    found = [finding for mine in judged for finding in mine]
    return Findings(
        items=tuple(found),
        looked_at=f"{_count(reads)} series of {listing([r.service for r in reads])} over {span(since_s)}",
        normal=tuple(text for read in reads if (text := normal_of(read, found))),
        gaps=tuple(gaps),
    )


@probe(specialist="monitoring")
async def query(
    ctx: Context,
    *,
    service: str,
    expr: str,
    unit: str = "",
    empty: Literal["unavailable", "zero"] = "unavailable",
) -> Measurement:
    """One number that PromQL gives now, in ``unit``.

    Raises:
        ProbeUnavailableError: no answer, or no data (unless ``empty`` is ``zero``); that is not a value of 0.
        ProbeGarbageError: more than one series, or no answer of a Prometheus.
    """
    source = ctx.source(service, "prometheus")
    result = await _ask(ctx, f"{_base(source)}/api/v1/query", {"query": expr, "time": _now(ctx)})
    if len(result) > 1:
        raise ProbeGarbageError(f"The query gives {len(result)} series, not one.", hint=f"Sum it up: {expr}")
    value = _number(result[0].value[1]) if result and result[0].value else math.nan
    if not math.isfinite(value):
        if empty == "unavailable":
            raise ProbeUnavailableError(f"Prometheus has no data for {service}.", hint=f"Asked: {expr}")
        value = 0.0
    return Measurement(
        value=value,
        unit=unit,
        at=ctx.clock.now(),
        query=expr,
        url=_graph(source, expr, since_s=1800),
        text=f"{service}: {figure(value, unit)}",
    )


@probe(specialist="monitoring")
async def error_ratio(ctx: Context, *, service: str, window_s: float = 10) -> Measurement:
    """Share of answers with a server error, 0 to 1, over the last ``window_s`` seconds.

    Raises:
        ProbeUnavailableError: no traffic in the window; that is not a share of 0.
    """
    source = ctx.source(service, "prometheus")
    family = next(family for family in FAMILIES if family.name == "error_ratio")
    expr = family.query(selector=_selector(source), window_s=max(2, math.ceil(window_s)), names=source)
    found: Measurement = await query(ctx, service=service, expr=expr, unit="ratio")
    text = f"{service} answers {figure(found.value, 'ratio')} of its requests with a server error"
    return found.model_copy(update={"text": text})


@probe(specialist="monitoring")
async def alerts(ctx: Context, *, service: str) -> Measurement:
    """How many alerts are firing now for a service, by the alert's label ``service``.

    Raises:
        ProbeUnavailableError: Prometheus does not answer; that is not silence.
        ProbeGarbageError: what answers is no Prometheus.
    """
    source = ctx.source(service, "prometheus")
    url = f"{_base(source)}/api/v1/alerts"
    try:
        answer = _AlertAnswer.model_validate(await ctx.get_json(url))
    except ValidationError as error:
        raise ProbeGarbageError(f"{url} does not answer as Prometheus does.") from error
    firing = [a for a in answer.data.alerts if a.state == "firing" and a.labels.get("service") == service]
    named = listing(sorted({alert.labels.get("alertname", "unnamed") for alert in firing}))
    return Measurement(
        value=float(len(firing)),
        unit="alerts",
        at=ctx.clock.now(),
        url=f"{_base(source)}/alerts",
        text=f"{service}: {named} firing" if firing else f"{service}: no alert firing",
    )


async def _read(ctx: Context, name: str, *, since_s: float) -> Read:
    # A little less than the step's time, so that one hanging neighbour costs its own answer only.
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            return await _read_all(ctx, name, since_s=since_s)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"Prometheus did not answer within {span(limit_s)}.") from error


async def _read_all(ctx: Context, name: str, *, since_s: float) -> Read:
    source = ctx.source(name, "prometheus")
    end_s = ctx.clock.now().timestamp()
    up_expr = f"up{{{_selector(source)}}}[{_LOOK_BACK}]"
    up = [
        _series(result, label=result.metric.get("instance", ""))
        for result in await _ask(
            ctx, f"{_base(source)}/api/v1/query", {"query": up_expr, "time": f"{end_s:.3f}"}
        )
    ]
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
    panels = [answer for answer in answers if isinstance(answer, Panel)]
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        if not panels or not isinstance(failure, ProbeUnavailableError):
            raise failure
    return Read(
        service=name,
        panels=tuple(panels),
        unread=tuple(
            family.name for family, answer in zip(FAMILIES, answers, strict=True) if answer in failures
        ),
        up=tuple(up),
        end_s=end_s,
        stale_s=max(3 * scrape_s, window_s),
        window_s=window_s,
    )


async def _panel(
    ctx: Context,
    source: Mapping[str, str],
    family: Family,
    *,
    end_s: float,
    since_s: float,
    step_s: float,
    window_s: int,
) -> Panel:
    expr = family.query(selector=_selector(source), window_s=window_s, names=source)
    fine_s = min(since_s, _FINE_POINTS * step_s)
    spans = [(end_s - fine_s, end_s, step_s)]
    if fine_s < since_s:
        coarse_s = max(step_s, since_s / _COARSE_POINTS)
        spans.append((end_s - since_s, end_s - fine_s - step_s, coarse_s))
    results = await asyncio.gather(*(_range(ctx, source, expr, part=part) for part in spans))
    label = {**NAMES, **source}.get(family.by, "")
    return Panel(
        family=family,
        series=_merged([result for read in reversed(results) for result in read], label=label),
        query=expr,
        url=_graph(source, expr, since_s=since_s),
    )


async def _range(
    ctx: Context, source: Mapping[str, str], expr: str, *, part: tuple[float, float, float]
) -> list[_Result]:
    start_s, end_s, step_s = part
    params = {"query": expr, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:.3f}"}
    return await _ask(ctx, f"{_base(source)}/api/v1/query_range", params)


async def _ask(ctx: Context, url: str, params: Mapping[str, str]) -> list[_Result]:
    try:
        return _Answer.model_validate(await ctx.get_json(url, params=params)).data.result
    except ValidationError as error:
        raise ProbeGarbageError(f"{url} does not answer as Prometheus does.") from error


def _merged(results: Sequence[_Result], *, label: str) -> tuple[Series, ...]:
    """Join the parts of each series, which come oldest first."""
    parts: dict[str, list[tuple[float, str]]] = {}
    for result in results:
        parts.setdefault(result.metric.get(label, "") if label else "", []).extend(result.values)
    return tuple(_series(_Result(values=values), label=name) for name, values in sorted(parts.items()))


def _series(result: _Result, *, label: str) -> Series:
    return Series(
        label=label,
        times_s=np.array([at for at, _ in result.values], dtype=np.float64),
        values=np.array([_number(text) for _, text in result.values], dtype=np.float64),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ProbeGarbageError(f"Prometheus answered {text[:40]!r} where a number belongs.") from error


def _scrape_s(up: Sequence[Series]) -> float:
    gaps = [float(np.median(np.diff(series.times_s))) for series in up if series.times_s.size > 1]
    return max(1.0, round(min(gaps), 1)) if gaps else _DEFAULT_SCRAPE_S


def _count(reads: Sequence[Read]) -> int:
    return sum(len(panel.series) for read in reads for panel in read.panels) + sum(
        len(read.up) for read in reads
    )


def _base(source: Mapping[str, str]) -> str:
    url = source.get("url", "").rstrip("/")
    if not url:
        raise ProbeNotConfiguredError("The `prometheus` source has no `url`.")
    return url


def _selector(source: Mapping[str, str]) -> str:
    selector = source.get("selector", "").strip().strip("{}")
    if not selector:
        raise ProbeNotConfiguredError("The `prometheus` source has no `selector`.")
    return selector


def _now(ctx: Context) -> str:
    return f"{ctx.clock.now().timestamp():.3f}"


def _graph(source: Mapping[str, str], expr: str, *, since_s: float) -> str:
    minutes = max(1, math.ceil(since_s / 60))
    return f"{_base(source)}/graph?g0.expr={quote(expr, safe='')}&g0.tab=0&g0.range_input={minutes}m"
