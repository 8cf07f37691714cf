"""How far a canary's samples are shifted against stable's, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt
from statistics import NormalDist

import numpy as np

from bot.canary.selection import Floats, difference_at

MOST_CORRELATED = 0.99
"""Autocorrelation is not believed beyond: a straight line would make one sample of everything."""
_LEAST_FOR_CORRELATION = 5


@dataclass(frozen=True)
class ShiftEstimate:
    """A Hodges-Lehmann shift with its interval, in the metric's unit; an open end is ``None``."""

    estimate: float
    low: float | None
    high: float | None
    effective_canary: float
    effective_stable: float


def shift_between(
    canary: Floats, stable: Floats, *, confidence: float, independent: bool = False
) -> ShiftEstimate:
    """Estimate the shift of ``canary`` against ``stable`` by the Mann-Whitney interval.

    The median of all ``nm`` differences (Hodges and Lehmann 1963), and the differences at ranks ``k`` and
    ``nm-1-k``, ``k = floor(nm/2 - z sigma - 1/2)`` (Moses; Hollander and Wolfe, section 4.3), with the
    variance corrected for ties and inflated for autocorrelation; as the inflation is itself an estimate, from
    what few independent samples there are, ``z`` is then Student's.  Where ``k < 0``, so few samples cannot
    have that confidence, and the ends are open.  All is equivariant: data times c give a shift times c.
    """
    n, m = canary.size, stable.size
    ranks, tie_sizes = midranks(np.concatenate((canary, stable)))
    inflate_canary = 1.0 if independent else inflation(ranks[:n])
    inflate_stable = 1.0 if independent else inflation(ranks[n:])
    # As for a difference of means: each side brings its inflation by the variance that it brings.
    together = (m * inflate_canary + n * inflate_stable) / (n + m)
    sigma = sqrt(variance(n, m, tie_sizes) * together)
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    if not independent:
        quantile = student(quantile, freedom=n / inflate_canary + m / inflate_stable - 2)
    rank = floor(n * m / 2 - quantile * sigma - 0.5)
    middle = ((n * m - 1) // 2, n * m // 2)
    closed = rank >= 0
    wanted = (*middle, rank, n * m - 1 - rank) if closed else middle
    found = difference_at(canary, stable, ranks=wanted)
    return ShiftEstimate(
        estimate=found[0] / 2 + found[1] / 2,
        low=min(found[2:]) if closed else None,
        high=max(found[2:]) if closed else None,
        effective_canary=n / inflate_canary,
        effective_stable=m / inflate_stable,
    )


def student(quantile: float, *, freedom: float) -> float:
    """Turn a normal quantile into Student's (Fisher and Cornish 1960), with 1 degree of freedom at least.

    Below 3 degrees it comes out too small, but is then so large that the interval is open for most samples.
    """
    z, nu = quantile, max(1.0, freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / nu + second / nu**2 + third / nu**3


def variance(n: int, m: int, tie_sizes: Floats) -> float:
    """Return the variance of Mann-Whitney's U; ``t`` are the sizes of ties.

    ``nm/12 [(N+1) - sum(t^3 - t) / (N(N-1))]``.
    """
    total = n + m
    ties = float((tie_sizes**3 - tie_sizes).sum()) / (total * (total - 1))
    return max(0.0, n * m / 12 * (total + 1 - ties))


def midranks(pooled: Floats) -> tuple[Floats, Floats]:
    """Return each value's rank from 1 (ties share the mean of theirs), and the sizes of all ties."""
    _, inverse, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse], counts.astype(np.float64)


def inflation(series: Floats) -> float:
    """Return how many samples of a series equal one independent sample: ``(1 + r) / (1 - r)``, at least 1.

    ``r`` is the autocorrelation at lag 1, for which the variance of a mean of an AR(1) series grows by that.
    """
    r = autocorrelation(series)
    return max(1.0, (1 + r) / (1 - r))


def autocorrelation(series: Floats) -> float:
    """Return the autocorrelation at lag 1, -1 to 0.99, corrected for its bias.

    From a short series it comes out too small: its expectation is about ``r - (1 + 4r)/n`` (Marriott and Pope
    1954; Kendall 1954), which is solved for ``r``.  A constant series has none.
    """
    n = series.size
    if n < _LEAST_FOR_CORRELATION:
        return 0.0
    centred = series - series.mean()
    power = float(centred @ centred)
    if power == 0:
        return 0.0
    r = float(centred[1:] @ centred[:-1]) / power
    return min(MOST_CORRELATED, max(-1.0, (n * r + 1) / (n - 4)))
