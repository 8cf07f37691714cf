"""Counts and latencies of one workspace since it was started or reset."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, fields

from localslack.shapes import Json


@dataclass(slots=True)
class Stats:
    """The counts and latencies. Latencies are in milliseconds."""

    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    edits: int = 0
    deletions: int = 0
    ephemerals: int = 0
    rate_limited: int = 0
    delivered: int = 0
    unacked: int = 0
    retried: int = 0
    ack_ms: dict[str, list[float]] = field(default_factory=dict)
    failures: list[Json] = field(default_factory=list)

    def clear(self) -> None:
        """Start counting afresh."""
        fresh = Stats()
        for item in fields(self):
            setattr(self, item.name, getattr(fresh, item.name))

    def acked(self, kind: str, latency_ms: float) -> None:
        """Record the latency of one acknowledgement, by kind of payload."""
        self.ack_ms.setdefault(kind, []).append(round(latency_ms, 3))

    def as_json(self) -> Json:
        """Return the counts, and the latencies with their percentiles."""
        every = [value for values in self.ack_ms.values() for value in values]
        return {
            "calls": dict(self.calls),
            "errors": dict(self.errors),
            "posts": self.posts,
            "edits": self.edits,
            "deletions": self.deletions,
            "ephemerals": self.ephemerals,
            "rate_limited": self.rate_limited,
            "envelopes": {"delivered": self.delivered, "unacked": self.unacked, "retried": self.retried},
            "acks": {
                "latencies_ms": every,
                "by_kind_ms": self.ack_ms,
                "p99_by_kind_ms": {kind: percentile(values, 99) for kind, values in self.ack_ms.items()},
                "p50_ms": percentile(every, 50),
                "p99_ms": percentile(every, 99),
                "max_ms": max(every, default=None),
            },
            "failures": self.failures,
        }


def percentile(values: list[float], percent: float) -> float | None:
    """Return the smallest value that at least ``percent`` of them do not exceed; None when there are none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
