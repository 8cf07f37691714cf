"""Lays the time that calls spend outside their callees to the service at whose end of the wire it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.telemetry.case import SpanBucket
from bot.analysis.telemetry.tallies import BIN_S

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


def of_spans(spans: Iterable[SpanBucket], *, onset_s: float) -> tuple[Lag, ...]:
    """Measure each direction of each edge: requests by the lag at the start, answers by that at the end.

    What is usual is the edge's own median before the onset; where spans begin later, the median of all edges.
    Five minutes of spans or less are no ordinary life yet, as trouble begins before it is seen: then it is at
    most ten times that median.
    """
    before: dict[_Way, list[float]] = {}
    after: dict[_Way, list[float]] = {}
    first_s = onset_s
    for bucket in spans:
        if bucket.parent in (bucket.service, "root", ""):
            continue
        side = before if bucket.time_s < onset_s - BIN_S / 2 else after
        for there, lag in _ways(bucket):
            side.setdefault((bucket.parent, bucket.service, there), []).append(lag)
        first_s = min(first_s, bucket.time_s)
    return _judged(before, after, known_s=onset_s - first_s)


def _ways(bucket: SpanBucket) -> Iterator[tuple[bool, float]]:
    """Give the lag of each way, in ms; clocks that differ make one of them negative, which is evened out."""
    there, back = bucket.lag_start_ms, bucket.lag_end_ms
    if there is not None and back is not None and min(there, back) < -_FLOOR_MS:
        there = back = (there + back) / 2
    if there is not None:
        yield True, there
    if back is not None:
        yield False, back


def _judged(
    before: Mapping[_Way, Sequence[float]], after: Mapping[_Way, Sequence[float]], *, known_s: float
) -> tuple[Lag, ...]:
    levels = {edge: float(np.median(lags)) for edge, lags in after.items()}
    typical = float(np.median(list(levels.values()))) if levels else 0.0
    found = []
    for edge, level in sorted(levels.items()):
        own = before.get(edge, ())
        usual = float(np.median(own)) if len(own) >= _LEAST_BEFORE else typical
        if known_s < _LONG_S:
            usual = min(usual, max(typical * _AT_MOST_TIMES, _FLOOR_MS))
        lost = max(level - max(usual, 0.0) - _FLOOR_MS, 0.0)
        strength = lost / (lost + _HALF_MS)
        found.append(Lag(caller=edge[0], callee=edge[1], strength=strength, lost_ms=lost))
    return tuple(found)


def blamed(lags: Iterable[Lag]) -> dict[str, float]:
    """Give each service its share of what is lost, 0 to 1.

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
        called = [lost for (_, callee), lost in wires.items() if callee == service]
        calling = [lost for (caller, _), lost in wires.items() if caller == service]
        mean = max(float(np.mean(side)) for side in (called, calling) if side)
        shares[service] = worst * (sum(called) + sum(calling)) / everything * (1 + mean) / 2
    return shares
