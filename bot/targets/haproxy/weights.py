"""Converts a percentage to HAProxy's weights, and weights to a share; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

WHOLE = 100
MOST = 256


def weights_for(percent: int, *, stable: Iterable[str], candidate: str) -> dict[str, int]:
    """Return weights: ``percent`` (0 to 100) for the candidate, the rest evenly for the stable servers.

    If weights cannot express it (many servers), the candidate gets a little less than requested, but never 0
    unless 0 is requested.
    """
    stable = list(stable)
    each, own = WHOLE - percent, percent * len(stable)
    largest = max(each, own)
    if largest > MOST:
        each, own = ceil(each * MOST / largest), max(own * MOST // largest, 1 if percent else 0)
    return {**dict.fromkeys(stable, each), candidate: own}


def share_of(weights: Mapping[str, int], names: Iterable[str]) -> float:
    """Return the share of the traffic that these servers get, 0 to 1; 0 if no server gets any."""
    total = sum(weights.values())
    return sum(weights.get(name, 0) for name in set(names)) / total if total else 0.0
