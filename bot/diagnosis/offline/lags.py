"""Attributes the time that calls spend outside their callees to the service at whose end it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bot.diagnosis.offline.case import SpanBucket
from bot.diagnosis.offline.tallies import BIN_S
from bot.diagnosis.signals.anomalies import FloatArray

_HALF_MS = 50.0
_FLOOR_MS = 10.0
_LEAST_BEFORE = 2
_LONG_S = 300.0
_AT_MOST_TIMES = 10.0
_Way = tuple[str, str, bool]
"""Caller, callee, and whether it is the way there (the request) or the way back (the answer)."""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """One direction of one edge; ``strength`` is 0 to 1 for what is lost more than is usual."""

    caller: str
    callee: str
    strength: float
    lost_ms: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Wires:
    """What was measured of each direction of each edge: times in seconds, ascending, and lags in ms."""

    measured: Mapping[_Way, tuple[FloatArray, FloatArray]]
    first_s: float


def of_spans(spans: Iterable[SpanBucket]) -> Wires:
    """Sort the measurements by edge and direction, once for all the moments that are looked at."""
    found: dict[_Way, list[tuple[float, float]]] = {}
    for bucket in spans:
        if bucket.parent in (bucket.service, "root", ""):
            continue
        for there, lag in _ways(bucket):
            found.setdefault((bucket.parent, bucket.service, there), []).append((bucket.time_s, lag))
    measured = {}
    for way, pairs in found.items():
        table = np.array(sorted(pairs), dtype=np.float64)
        measured[way] = (table[:, 0], table[:, 1])
    firsts = [float(times[0]) for times, _ in measured.values()]
    return Wires(measured=measured, first_s=min(firsts, default=np.inf))


def lost(wires: Wires, *, onset_s: float) -> tuple[Lag, ...]:
    """Judge each direction of each edge: requests by the lag at the start, answers by that at the end.

    What is usual is the edge's own median before the onset; where spans begin later, the median of all edges.
    Five minutes of spans or less are not a baseline yet, as trouble begins before it is seen: then it is at
    most ten times that median.
    """
    before: dict[_Way, FloatArray] = {}
    after: dict[_Way, FloatArray] = {}
    for way, (times, lags) in wires.measured.items():
        cut = int(np.searchsorted(times, onset_s - BIN_S / 2))
        before[way] = lags[:cut]
        if cut < lags.size:
            after[way] = lags[cut:]
    return _judged(before, after, known_s=onset_s - min(wires.first_s, onset_s))


def _ways(bucket: SpanBucket) -> Iterator[tuple[bool, float]]:
    """Return the lag of each way, in ms; differing clocks make one of them negative, which is evened out."""
    there, back = bucket.lag_start_ms, bucket.lag_end_ms
    if there is not None and back is not None and min(there, back) < -_FLOOR_MS:
        there = back = (there + back) / 2
    if there is not None:
        yield True, there
    if back is not None:
        yield False, back


def _judged(
    before: Mapping[_Way, FloatArray], after: Mapping[_Way, FloatArray], *, known_s: float
) -> tuple[Lag, ...]:
    levels = {edge: float(np.median(lags)) for edge, lags in after.items()}
    typical = float(np.median(list(levels.values()))) if levels else 0.0
    found = []
    for edge, level in sorted(levels.items()):
        own = before[edge]
        usual = float(np.median(own)) if own.size >= _LEAST_BEFORE else typical
        if known_s < _LONG_S:
            usual = min(usual, max(typical * _AT_MOST_TIMES, _FLOOR_MS))
        more = max(level - max(usual, 0.0) - _FLOOR_MS, 0.0)
        strength = more / (more + _HALF_MS)
        found.append(Lag(caller=edge[0], callee=edge[1], strength=strength, lost_ms=more))
    return tuple(found)


def blamed(lags: Iterable[Lag]) -> dict[str, float]:
    """Return each service's share of what is lost, 0 to 1.

    A service whose own wire is slow is slow towards everybody; its peers are slow towards it alone.  Hence
    the share of all losses that has it at one end, times ``(1 + m) / 2`` where ``m`` is the mean over its
    callers or over its callees, times the greatest loss: all between 0 and 1.
    """
    wires: dict[tuple[str, str], float] = {}
    for lag in lags:
        wire = (lag.caller, lag.callee)
        if lag.caller == lag.callee:
            continue  # what it calls itself crosses no wire
        wires[wire] = max(wires.get(wire, 0.0), lag.strength)
    everything, worst = sum(wires.values()), max(wires.values(), default=0.0)
    if everything <= 0:
        return {}
    shares = {}
    for service in {end for wire in wires for end in wire}:
        called = [share for (_, callee), share in wires.items() if callee == service]
        calling = [share for (caller, _), share in wires.items() if caller == service]
        mean = max(float(np.mean(side)) for side in (called, calling) if side)
        shares[service] = worst * (sum(called) + sum(calling)) / everything * (1 + mean) / 2
    return shares
