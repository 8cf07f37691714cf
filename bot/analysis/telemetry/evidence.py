"""Gathers what speaks for each service being at fault, from every source of a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bot.analysis.anomalies import FloatArray
from bot.analysis.telemetry import lags
from bot.analysis.telemetry.case import Column, Telemetry
from bot.analysis.telemetry.kinds import Kind, kind_of
from bot.analysis.telemetry.shifts import Shifts, baselines, quantiles, shifts
from bot.analysis.telemetry.tallies import Tallies, Turn, turns

_LEAST = 0.02
_LEAST_TURN = 0.3
_BUSY_SHARE = 0.05
_RESOURCES = (Kind.CPU, Kind.MEMORY, Kind.DISK)
_TELLING = 0.05
_WIRES = ("edge_lag", "lag")
_FROM = "_from_"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One anomalous thing about one service; ``kind`` is what the weights know it by."""

    service: str
    kind: str
    name: str
    """The metric, the template or the operation."""
    strength: float
    """0 to 1."""
    ordinary: float | None = None
    value: float | None = None
    metric: str = ""
    """The metric that shows it best, if any does."""


def of_metrics(case: Telemetry, row: int, *, kinds: tuple[Kind, ...]) -> Iterator[Evidence]:
    """Judge every series, rows before ``row`` being ordinary."""
    metrics = [column.metric for column in case.columns]
    base = baselines(case.values[:row], kinds=kinds, metrics=metrics)
    found = shifts(base, case.values[row:], kinds=kinds)
    trusted = _trusted(case.columns, kinds, level=base.level, after=case.values[row:])
    strengths = _corroborated(case.columns, kinds, found.strength * trusted)
    for place in np.flatnonzero(strengths >= _LEAST):
        yield Evidence(
            service=case.columns[place].service,
            kind=kinds[place].value,
            name=case.columns[place].metric,
            metric=case.columns[place].metric,
            strength=float(strengths[place]),
            ordinary=float(base.level[place]),
            value=float(found.value[place]),
        )
    yield from _edge_lags(case.columns, kinds, strengths, found=found, level=base.level)


def _trusted(
    columns: tuple[Column, ...], kinds: tuple[Kind, ...], *, level: FloatArray, after: FloatArray
) -> FloatArray:
    """Say how far each series can be relied on: what is said of hardly a request is chance.

    ``w / (w + 5 % of the median traffic)``, with the smaller ``w`` of the service's ordinary traffic and that
    since the onset; 1 where nothing is known of the traffic.
    """
    now = quantiles(after, (0.5,))[0]
    traffic: dict[str, float] = {}
    ordinary: dict[str, float] = {}
    for place, column in enumerate(columns):
        if kinds[place] is Kind.TRAFFIC and np.isfinite(level[place]):
            least = float(np.fmin(level[place], now[place]))
            traffic[column.service] = max(traffic.get(column.service, 0.0), least)
            ordinary[column.service] = max(ordinary.get(column.service, 0.0), float(level[place]))
    busy = [rate for rate in ordinary.values() if rate > 0]
    half = float(np.median(busy)) * _BUSY_SHARE if busy else 0.0
    slow = (Kind.LATENCY, Kind.CALL_LATENCY, Kind.SUCCESS)
    return np.array(
        [
            traffic[column.service] / (traffic[column.service] + half)
            if half > 0 and kind in slow and column.service in traffic
            else 1.0
            for column, kind in zip(columns, kinds, strict=True)
        ]
    )


def _corroborated(columns: tuple[Column, ...], kinds: tuple[Kind, ...], strengths: FloatArray) -> FloatArray:
    """Average each series of a resource with all that tell of the same one, as they must agree."""
    together: dict[tuple[str, Kind], list[int]] = {}
    for place, column in enumerate(columns):
        if kinds[place] in _RESOURCES:
            together.setdefault((column.service, kinds[place]), []).append(place)
    agreed = strengths.copy()
    for places in together.values():
        agreed[places] = (strengths[places] + strengths[places].mean()) / 2
    return agreed


def _edge_lags(
    columns: tuple[Column, ...],
    kinds: tuple[Kind, ...],
    strengths: FloatArray,
    *,
    found: Shifts,
    level: FloatArray,
) -> Iterator[Evidence]:
    """Lay to the wire what callers see of a service's latency and the service itself does not."""
    edges: dict[tuple[str, str], dict[Kind, int]] = {}
    for place, column in enumerate(columns):
        if kinds[place] in (Kind.EDGE_CALLER, Kind.EDGE_CALLEE) and _FROM in column.metric:
            caller = column.metric.partition(_FROM)[2]
            edges.setdefault((caller, column.service), {})[kinds[place]] = place
    lost = []
    names: dict[str, tuple[float, int]] = {}
    for (caller, callee), sides in edges.items():
        if Kind.EDGE_CALLER not in sides:
            continue
        place = sides[Kind.EDGE_CALLER]
        inner = sides.get(Kind.EDGE_CALLEE)
        seen = _risen(found, level, place)
        own = 0.0 if inner is None else _risen(found, level, inner)
        strength = float(strengths[place]) * (max(1 - own / seen, 0.0) if seen > 0 else 0.0)
        lost.append(lags.Lag(caller=caller, callee=callee, strength=strength))
        names[callee] = max(names.get(callee, (0.0, place)), (strength, place))
    for service, share in lags.blamed(lost).items():
        if share >= _LEAST and service in names:
            place = names[service][1]
            yield Evidence(
                service=service,
                kind="edge_lag",
                name=columns[place].metric,
                metric=columns[place].metric,
                strength=share,
                ordinary=float(level[place]),
                value=float(found.value[place]),
            )


def _risen(found: Shifts, level: FloatArray, place: int) -> float:
    return max(float(np.nan_to_num(found.value[place] - level[place])), 0.0)


def of_lags(case: Telemetry, *, onset_s: float, kinds: tuple[Kind, ...]) -> Iterator[Evidence]:
    """Judge what is lost between callers and callees, by spans; latency is the metric that should show it."""
    measured = lags.of_spans(case.spans, onset_s=onset_s)
    latencies: dict[str, str] = {}
    for column, kind in zip(case.columns, kinds, strict=True):
        if kind is Kind.LATENCY:
            latencies.setdefault(column.service, column.metric)
    worst: dict[str, float] = {}
    for lag in measured:
        for end in (lag.caller, lag.callee):
            worst[end] = max(worst.get(end, 0.0), lag.lost_ms)
    for service, share in lags.blamed(measured).items():
        if share >= _LEAST:
            yield Evidence(
                service=service,
                kind="lag",
                name="time outside the callee",
                strength=share,
                value=worst[service],
                metric=latencies.get(service, ""),
            )


def of_turns(tallies: Tallies, *, onset_s: float, what: str) -> Iterator[Evidence]:
    """Judge what is said (``what`` is ``line``) or done (``call``) more or less often."""
    for turn in turns(tallies, onset_s=onset_s):
        if turn.strength >= _LEAST_TURN:
            kind = _turn_kind(turn, what=what)
            if kind:
                yield Evidence(
                    service=turn.thing.service,
                    kind=kind,
                    name=turn.thing.name,
                    strength=turn.strength,
                    ordinary=turn.expected,
                    value=float(turn.after),
                )


def _turn_kind(turn: Turn, *, what: str) -> str:
    if turn.vanished:
        return "" if turn.thing.is_error else f"vanished_{what}"
    return f"new_{what}" if turn.thing.is_error else ""


def kinds_of(columns: Iterable[Column]) -> tuple[Kind, ...]:
    """Tell what each column measures."""
    known: dict[str, Kind] = {}
    return tuple(known.setdefault(column.metric, kind_of(column.metric)) for column in columns)


def strongest(evidence: Iterable[Evidence]) -> Mapping[str, Mapping[str, Evidence]]:
    """Keep the strongest of each kind for each service: what one kind says twice is not independent."""
    best: dict[str, dict[str, Evidence]] = {}
    for each in evidence:
        kinds = best.setdefault(each.service, {})
        rival = kinds.get(each.kind)
        if rival is None or (each.strength, rival.name) > (rival.strength, each.name):
            kinds[each.kind] = each
    return best


def named_by(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Order what metrics show of one service by how well it names the cause.

    A resource that ran out comes first, as it makes the service slow and the calls to it wait; then the wire,
    then symptoms; within each the order is kept.
    """
    shown = [each for each in evidence if each.metric]
    return sorted(shown, key=_cause_first)


def _cause_first(each: Evidence) -> int:
    if each.kind in _RESOURCES:
        return 0 if each.strength >= _TELLING else 3
    return 1 if each.kind in _WIRES else 2
