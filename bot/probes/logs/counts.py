"""What a log store counted where it has more errors than are read: bins, and the moments they stand for."""

from __future__ import annotations

from collections.abc import Iterable

MOST_LINES = 3000
"""How many lines of one service are read at once."""

FIRST_SHARE = 0.4
"""The share of a step's time for the first question; the second has as much."""

_BINS = 60
_MOST_MOMENTS = 200_000

Bin = tuple[float, float]
"""Where a bin ends, in seconds since the epoch, and how many errors it has."""


def bin_s(start_s: float, end_s: float) -> int:
    """Give the width of a bin in whole seconds, a sixtieth of the window."""
    return max(1, round((end_s - start_s) / _BINS))


def moments(bins: Iterable[Bin], *, width_s: float, share: float) -> tuple[float, ...]:
    """Spread what each bin counted evenly over it; ``share`` is that of real errors among them.

    What was counted is all lines that speak of an error, and of those some only mention one; their share
    is known from the lines that were read.
    """
    counted = sorted((end_s, count * share) for end_s, count in bins if count > 0)
    thinned = min(1.0, _MOST_MOMENTS / max(1.0, sum(count for _, count in counted)))
    spread: list[float] = []
    for end_s, count in counted:
        number = max(1, round(count * thinned))
        spread.extend(end_s - width_s + (place + 0.5) * width_s / number for place in range(number))
    return tuple(spread)
