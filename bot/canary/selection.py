"""Finds single ranks among all differences of two samples without sorting them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIRECT = 1 << 17
"""At most this many differences are computed one by one; with more, the ranks are narrowed down first."""


def difference_at(x: Floats, y: Floats, *, ranks: tuple[int, ...]) -> tuple[float, ...]:
    """Return the differences ``x_i - y_j`` at these ``ranks`` (from 0) of their ascending order.

    O((n + m) log(n + m)) a rank for large samples: each row ``x_i - y`` is ascending once ``y`` is
    descending, and the weighted median of the rows' middles cuts off a quarter of all candidates (Johnson
    and Mizoguchi 1978).
    """
    rows, columns = np.sort(x), np.sort(y)[::-1]
    if rows.size * columns.size <= DIRECT:
        every = np.subtract.outer(rows, columns).ravel()
        part = np.partition(every, sorted(set(ranks)))
        return tuple(float(part[rank]) for rank in ranks)
    known = {rank: _close_in(rows, columns, rank) for rank in set(ranks)}
    return tuple(known[rank] for rank in ranks)


def _close_in(rows: Floats, columns: Floats, rank: int) -> float:
    low = np.zeros(rows.size, dtype=np.int64)
    high = np.full(rows.size, columns.size, dtype=np.int64)
    while True:
        widths = high - low
        if widths.sum() <= max(DIRECT // 8, 2 * rows.size):
            return _among(rows, columns, low, widths, rank)
        pivot = _pivot(rows, columns, low, widths)
        below = _crossing(rows, columns, pivot, inclusive=False)
        up_to = _crossing(rows, columns, pivot, inclusive=True)
        if rank < below.sum():
            high = np.minimum(high, below)
        elif rank < up_to.sum():
            return pivot
        else:
            low = np.maximum(low, up_to)


def _pivot(rows: Floats, columns: Floats, low: Ints, widths: Ints) -> float:
    """Return the median of the middles of what is left of each row, weighted by how much is left."""
    left = np.flatnonzero(widths)
    middles = rows[left] - columns[low[left] + widths[left] // 2]
    order = np.argsort(middles, kind="stable")
    weights = np.cumsum(widths[left][order])
    return float(middles[order][np.searchsorted(weights, weights[-1] / 2)])


def _crossing(rows: Floats, columns: Floats, pivot: float, *, inclusive: bool) -> Ints:
    """Count, in each row, the differences below ``pivot`` (or equal to it).

    It bisects the differences as they are computed, as ``x - pivot`` is rounded differently from ``x - y``.
    """
    low = np.zeros(rows.size, dtype=np.int64)
    high = np.full(rows.size, columns.size, dtype=np.int64)
    for _ in range(int(columns.size).bit_length()):
        middle = (low + high) // 2
        differences = rows - columns[np.minimum(middle, columns.size - 1)]
        before = differences <= pivot if inclusive else differences < pivot
        before &= middle < high
        low = np.where(before, middle + 1, low)
        high = np.where(before, high, middle)
    return low


def _among(rows: Floats, columns: Floats, low: Ints, widths: Ints, rank: int) -> float:
    starts = np.repeat(low - np.concatenate(([0], np.cumsum(widths)[:-1])), widths)
    candidates = np.repeat(rows, widths) - columns[starts + np.arange(starts.size)]
    at = rank - int(low.sum())
    return float(np.partition(candidates, at)[at])
