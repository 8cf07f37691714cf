"""Lays the time that calls spend outside their callees to the service at whose end of the wire it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.telemetry.case import SpanBucket

_HALF_MS = 50.0
_FLOOR_MS = 10.0
_LEAST_BEFORE = 2


@dataclass(frozen=True, kw_only=True)
class Lag:
    """One direction of one edge; ``strength`` is 0 to 1 for what is lost more than is usual."""

    sender: str
    receiver: str
    strength: float
    lost_ms: float = 0.0


def of_spans(spans: Iterable[SpanBucket], *, onset_s: float) -> tuple[Lag, ...]:
    """Measure each direction of each edge: requests by the lag at the start, answers by that at the end.

    What is usual is the edge's own median before the onset; where spans begin later, the median of all edges.
    Lags of opposite sign cancel: that is a difference of clocks.
    """
    before: dict[tuple[str, str], list[float]] = {}
    after: dict[tuple[str, str], list[float]] = {}
    for bucket in spans:
        if bucket.parent in (bucket.service, "root", ""):
            continue
        side = before if bucket.time_s < onset_s - 5 else after
        for edge, lag in (
            ((bucket.parent, bucket.service), bucket.lag_start_ms),
            ((bucket.service, bucket.parent), bucket.lag_end_ms),
        ):
            if lag is not None:
                side.setdefault(edge, []).append(lag)
    return _judged(before, after)


def _judged(
    before: Mapping[tuple[str, str], Sequence[float]], after: Mapping[tuple[str, str], Sequence[float]]
) -> tuple[Lag, ...]:
    levels = {edge: float(np.median(lags)) for edge, lags in after.items()}
    typical = float(np.median(list(levels.values()))) if levels else 0.0
    found = []
    for edge, level in sorted(levels.items()):
        own = before.get(edge, ())
        usual = float(np.median(own)) if len(own) >= _LEAST_BEFORE else typical
        lost = max(level - max(usual, 0.0) - _FLOOR_MS, 0.0)
        strength = lost / (lost + _HALF_MS)
        found.append(Lag(sender=edge[0], receiver=edge[1], strength=strength, lost_ms=lost))
    return tuple(found)


def blamed(lags: Iterable[Lag]) -> dict[str, float]:
    """Give each service its share, 0 to 1: the mean over all it sends, or over all it receives.

    A service whose own wire is slow is slow towards everybody; its peers are slow towards it alone.  One edge
    says little about which of its two ends it is, hence the factor ``n / (n + 1)``.
    """
    sent: dict[str, list[float]] = {}
    received: dict[str, list[float]] = {}
    for lag in lags:
        sent.setdefault(lag.sender, []).append(lag.strength)
        received.setdefault(lag.receiver, []).append(lag.strength)
    shares: dict[str, float] = {}
    for side in (sent, received):
        for service, strengths in side.items():
            n = len(strengths)
            share = float(np.mean(strengths)) * n / (n + 1)
            shares[service] = max(shares.get(service, 0.0), share)
    return shares
