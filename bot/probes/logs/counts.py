"""Turns a log store's error counts into times, for when it has more errors than are read."""

from __future__ import annotations

from collections.abc import Iterable

MOST_LINES = 3000
"""How many lines of one service are read at once."""

FIRST_SHARE = 0.4
"""The share of a step's time for the first request; the second has as much."""

_BINS = 60
_MOST_MOMENTS = 200_000

Bin = tuple[float, float]
"""The end of a bin, in seconds since the epoch, and its number of errors."""


def bin_s(start_s: float, end_s: float) -> int:
    """Return the width of a bin in whole seconds, a sixtieth of the window."""
    return max(1, round((end_s - start_s) / _BINS))


def moments(bins: Iterable[Bin], *, width_s: float, share: float) -> tuple[float, ...]:
    """Return times in seconds since the epoch, each bin's count spread evenly over the bin.

    The store counts every line that mentions an error.  ``share``, known from the lines that were read, is
    the share of real errors among these, 0 to 1.
    """
    counted = sorted((end_s, count * share) for end_s, count in bins if count > 0)
    thinned = min(1.0, _MOST_MOMENTS / max(1.0, sum(count for _, count in counted)))
    spread: list[float] = []
    for end_s, count in counted:
        number = max(1, round(count * thinned))
        spread.extend(end_s - width_s + (place + 0.5) * width_s / number for place in range(number))
    return tuple(spread)
