"""Gathers what speaks for each service being at fault, from every source of a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bot.diagnosis.offline import lags
from bot.diagnosis.offline.case import Column, Telemetry
from bot.diagnosis.offline.kinds import FaultKind, kind_of
from bot.diagnosis.offline.shifts import Shifts, baselines, quantiles, shifts
from bot.diagnosis.offline.tallies import Tallies, TurningPoint, turns
from bot.diagnosis.signals.anomalies import BoolArray, FloatArray
from bot.domain.diagnoses.finding import FindingKind

_LEAST = 0.02
_LEAST_TURN = 0.3
_BUSY_SHARE = 0.05
_SHOWN_MS = 10.0
_SHOWN_DEVIANCE = 3.84
"""5 % of a chi-squared distribution with one degree of freedom."""
_RESOURCES = (FaultKind.CPU, FaultKind.MEMORY, FaultKind.DISK)
_FROM = "_from_"
FOUND_AS: Mapping[FaultKind, FindingKind] = {
    FaultKind.LATENCY: FindingKind.LATENCY_UP,
    FaultKind.CALL_LATENCY: FindingKind.DEPENDENCY_SLOW,
    FaultKind.EDGE_CALLER: FindingKind.CALLER_SEES_SLOW,
    FaultKind.EDGE_CALLEE: FindingKind.SLOW_FOR_CALLER,
    FaultKind.ERRORS: FindingKind.ERROR_RATE_UP,
    FaultKind.SUCCESS: FindingKind.SUCCESS_DOWN,
    FaultKind.CPU: FindingKind.CPU_HIGH,
    FaultKind.MEMORY: FindingKind.MEMORY_HIGH,
    FaultKind.DISK: FindingKind.DISK_BUSY,
    FaultKind.NETWORK: FindingKind.NETWORK_SHIFT,
    FaultKind.THREADS: FindingKind.THREADS_HIGH,
    FaultKind.TRAFFIC: FindingKind.TRAFFIC_SHIFT,
    FaultKind.NODE: FindingKind.MACHINE_BUSY,
    FaultKind.OTHER: FindingKind.OTHER_SHIFT,
}
"""The kind of finding that a shift of each kind of metric becomes."""


@dataclass(frozen=True, kw_only=True)
class OfflineEvidence:
    """One anomalous thing about one service, in figures; a finding puts it in words."""

    service: str
    kind: FindingKind
    name: str
    """The metric, the template or the operation."""
    strength: float
    """0 to 1."""
    since_s: float
    """The moment from which it was looked at, in seconds since the epoch."""
    ordinary: float | None = None
    value: float | None = None
    metric: str = ""
    """The metric that shows it best, if any does."""
    telling: bool = True
    """Whether it can be shown to people on its own; otherwise it only adds a little to a score."""


def of_metrics(case: Telemetry, row: int, *, kinds: tuple[FaultKind, ...]) -> Iterator[OfflineEvidence]:
    """Judge every series, rows before ``row`` being ordinary."""
    metrics = [column.metric for column in case.columns]
    base = baselines(case.values[:row], kinds=kinds, metrics=metrics)
    found = shifts(base, case.values[row:], kinds=kinds)
    trusted = _trusted(case.columns, kinds, level=base.level, after=case.values[row:])
    strengths = _corroborated(case.columns, kinds, found.strength * trusted)
    telling = _left(case.values[:row], case.values[row:])
    since_s = float(case.times_s[row]) - case.step_s / 2
    for place in np.flatnonzero(strengths >= _LEAST):
        yield OfflineEvidence(
            service=case.columns[place].service,
            kind=FOUND_AS[kinds[place]],
            name=case.columns[place].metric,
            metric=case.columns[place].metric,
            strength=float(strengths[place]),
            since_s=since_s,
            ordinary=float(base.level[place]),
            value=float(found.value[place]),
            telling=bool(telling[place]),
        )
    yield from _edge_lags(
        case.columns, kinds, strengths, found=found, level=base.level, telling=telling, since_s=since_s
    )


def _left(before: FloatArray, after: FloatArray) -> BoolArray:
    """Return for each column whether its median has left the middle 90 % of its earlier values."""
    low, high = quantiles(before, (0.05, 0.95))
    median = quantiles(after, (0.5,))[0]
    return np.asarray((median < low) | (median > high), dtype=np.bool_)


def _trusted(
    columns: tuple[Column, ...], kinds: tuple[FaultKind, ...], *, level: FloatArray, after: FloatArray
) -> FloatArray:
    """Return how far each series can be relied on: with hardly any requests, its values are chance.

    ``w / (w + 5 % of the median traffic)``, with the smaller ``w`` of the service's ordinary traffic and that
    since the onset; 1 where nothing is known of the traffic.
    """
    now = quantiles(after, (0.5,))[0]
    traffic: dict[str, float] = {}
    ordinary: dict[str, float] = {}
    for place, column in enumerate(columns):
        if kinds[place] is FaultKind.TRAFFIC and np.isfinite(level[place]):
            least = float(np.fmin(level[place], now[place]))
            traffic[column.service] = max(traffic.get(column.service, 0.0), least)
            ordinary[column.service] = max(ordinary.get(column.service, 0.0), float(level[place]))
    busy = [rate for rate in ordinary.values() if rate > 0]
    half = float(np.median(busy)) * _BUSY_SHARE if busy else 0.0
    slow = (FaultKind.LATENCY, FaultKind.CALL_LATENCY, FaultKind.SUCCESS)
    return np.array(
        [
            traffic[column.service] / (traffic[column.service] + half)
            if half > 0 and kind in slow and column.service in traffic
            else 1.0
            for column, kind in zip(columns, kinds, strict=True)
        ]
    )


def _corroborated(
    columns: tuple[Column, ...], kinds: tuple[FaultKind, ...], strengths: FloatArray
) -> FloatArray:
    """Average each series of a resource with all others of the same resource, as they must agree."""
    together: dict[tuple[str, FaultKind], list[int]] = {}
    for place, column in enumerate(columns):
        if kinds[place] in _RESOURCES:
            together.setdefault((column.service, kinds[place]), []).append(place)
    agreed = strengths.copy()
    for places in together.values():
        agreed[places] = (strengths[places] + strengths[places].mean()) / 2
    return agreed


def _edge_lags(
    columns: tuple[Column, ...],
    kinds: tuple[FaultKind, ...],
    strengths: FloatArray,
    *,
    found: Shifts,
    level: FloatArray,
    telling: BoolArray,
    since_s: float,
) -> Iterator[OfflineEvidence]:
    """Attribute to the network the latency that a service's callers see and the service itself does not."""
    edges: dict[tuple[str, str], dict[FaultKind, int]] = {}
    for place, column in enumerate(columns):
        if kinds[place] in (FaultKind.EDGE_CALLER, FaultKind.EDGE_CALLEE) and _FROM in column.metric:
            caller = column.metric.partition(_FROM)[2]
            edges.setdefault((caller, column.service), {})[kinds[place]] = place
    lost = []
    names: dict[str, tuple[float, int]] = {}
    for (caller, callee), sides in edges.items():
        if FaultKind.EDGE_CALLER not in sides:
            continue
        place = sides[FaultKind.EDGE_CALLER]
        inner = sides.get(FaultKind.EDGE_CALLEE)
        seen = _risen(found, level, place)
        own = 0.0 if inner is None else _risen(found, level, inner)
        strength = float(strengths[place]) * (max(1 - own / seen, 0.0) if seen > 0 else 0.0)
        lost.append(lags.Lag(caller=caller, callee=callee, strength=strength))
        names[callee] = max(names.get(callee, (0.0, place)), (strength, place))
    for service, share in lags.blamed(lost).items():
        if share >= _LEAST and service in names:
            place = names[service][1]
            yield OfflineEvidence(
                service=service,
                kind=FindingKind.EDGE_LAG,
                name=columns[place].metric,
                metric=columns[place].metric,
                strength=share,
                since_s=since_s,
                ordinary=float(level[place]),
                value=float(found.value[place]),
                telling=bool(telling[place]),
            )


def _risen(found: Shifts, level: FloatArray, place: int) -> float:
    return max(float(np.nan_to_num(found.value[place] - level[place])), 0.0)


def of_lags(
    case: Telemetry, wires: lags.Wires, *, onset_s: float, kinds: tuple[FaultKind, ...]
) -> Iterator[OfflineEvidence]:
    """Judge what is lost between callers and callees, by spans; latency is the metric that should show it."""
    measured = lags.lost(wires, onset_s=onset_s)
    latencies: dict[str, str] = {}
    for column, kind in zip(case.columns, kinds, strict=True):
        if kind is FaultKind.LATENCY:
            latencies.setdefault(column.service, column.metric)
    worst: dict[str, float] = {}
    for lag in measured:
        for end in (lag.caller, lag.callee):
            worst[end] = max(worst.get(end, 0.0), lag.lost_ms)
    for service, share in lags.blamed(measured).items():
        if share >= _LEAST:
            yield OfflineEvidence(
                service=service,
                kind=FindingKind.SPAN_LAG,
                name="time outside the callee",
                strength=share,
                since_s=onset_s,
                value=worst[service],
                metric=latencies.get(service, ""),
                telling=worst[service] >= _SHOWN_MS,
            )


def of_turns(tallies: Tallies, *, onset_s: float, what: str) -> Iterator[OfflineEvidence]:
    """Judge what is logged (``what`` is ``line``) or done (``call``) more or less often."""
    for turn in turns(tallies, onset_s=onset_s):
        if turn.strength >= _LEAST_TURN:
            kind = _turn_kind(turn, what=what)
            if kind is not None:
                yield OfflineEvidence(
                    service=turn.thing.service,
                    kind=kind,
                    name=turn.thing.name,
                    strength=turn.strength,
                    since_s=onset_s,
                    ordinary=turn.expected,
                    value=float(turn.after),
                    telling=turn.deviance >= _SHOWN_DEVIANCE,
                )


def _turn_kind(turn: TurningPoint, *, what: str) -> FindingKind | None:
    if not turn.vanished:
        return FindingKind.LOG_TEMPLATE_NEW if turn.thing.is_error else None
    if turn.thing.is_error:
        return None
    return FindingKind.LOG_TEMPLATE_VANISHED if what == "line" else FindingKind.CALLS_VANISHED


def kinds_of(columns: Iterable[Column]) -> tuple[FaultKind, ...]:
    """Return what each column measures."""
    known: dict[str, FaultKind] = {}
    return tuple(known.setdefault(column.metric, kind_of(column.metric)) for column in columns)


def strongest(evidence: Iterable[OfflineEvidence]) -> tuple[OfflineEvidence, ...]:
    """Return the strongest of each kind for each service: two of one kind are not independent."""
    best: dict[tuple[str, FindingKind], OfflineEvidence] = {}
    for each in evidence:
        rival = best.get((each.service, each.kind))
        if rival is None or (each.strength, rival.name) > (rival.strength, each.name):
            best[each.service, each.kind] = each
    return tuple(best.values())
