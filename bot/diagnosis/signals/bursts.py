"""Finds when events began to come more often."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_MAX_CANDIDATES = 400
_STILL_GOING_GAPS = 6.0
_MIN_SILENCE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Burst:
    """A rise in how often something happens; rates in events a second."""

    onset_s: float
    last_s: float
    rate_before: float
    rate_now: float
    count: int
    """Events since the onset."""
    likelihood_ratio: float
    """Twice the log-likelihood gained over one constant rate; large is certain."""
    ended: bool
    """Whether it has been silent for much longer than its own gaps."""
    is_new: bool
    """Whether there was nothing at all before."""

    @property
    def strength(self) -> float:
        """0 to 1 by certainty, half as much when it has ended."""
        strength = self.likelihood_ratio / (self.likelihood_ratio + 12.0)
        return strength / 2 if self.ended else strength


def find_burst(
    times_s: FloatArray, *, start_s: float, end_s: float, least_ratio: float = 3.0, least_gain: float = 16.0
) -> Burst | None:
    """Find the moment from which events between ``start_s`` and ``end_s`` came more often, to the end.

    The two-rate Poisson change point by maximum likelihood (Raftery and Akman 1986, without their prior):
    each event is tried as the first of the new rate.  ``least_gain`` is the least likelihood ratio: 16 lets
    chance through in one of 600 series; ``least_ratio`` the least growth.  ``times_s`` ascends.

    Where the events after that moment stopped for long and came again, the burst is what came last.
    """
    found = _rise(times_s, start_s=start_s, end_s=end_s, least_ratio=least_ratio, least_gain=least_gain)
    if found is None:
        return None
    since = times_s[times_s >= found.onset_s]
    gaps = np.diff(since)
    pauses = np.flatnonzero(gaps > max(_MIN_SILENCE_S, _STILL_GOING_GAPS * float(np.median(gaps))))
    if not pauses.size:
        return found
    last = int(pauses[-1])
    again = _rise(
        since[last + 1 :],
        start_s=float(since[last]),
        end_s=end_s,
        least_ratio=least_ratio,
        least_gain=least_gain,
    )
    return found if again is None else replace(again, is_new=False)


def _rise(
    times_s: FloatArray, *, start_s: float, end_s: float, least_ratio: float, least_gain: float
) -> Burst | None:
    n = times_s.size
    span = end_s - start_s
    if n < 3 or span <= 0:  # noqa: PLR2004  # one event is an anecdote, two are a coincidence
        return None
    index = np.unique(np.linspace(0, n - 1, min(n, _MAX_CANDIDATES)).astype(np.int64))
    before_s = np.clip(times_s[index] - start_s, 1e-3, span)
    after_s = np.maximum(span - before_s, 1.0)
    before = index.astype(np.float64)
    after = n - before
    constant = n * np.log(n / span)
    gain = 2 * (_log_likelihood(before, before_s) + _log_likelihood(after, after_s) - constant)
    faster = after / after_s >= least_ratio * before / before_s
    gain = np.where(faster & (after >= 3), gain, -np.inf)  # noqa: PLR2004  # as above
    best = int(np.argmax(gain))
    if gain[best] < least_gain:
        return None
    first = int(index[best])
    silence_s = end_s - float(times_s[-1])
    gap_s = float(times_s[-1] - times_s[first]) / max(n - first - 1, 1)
    return Burst(
        onset_s=float(times_s[first]),
        last_s=float(times_s[-1]),
        rate_before=float(before[best] / before_s[best]),
        rate_now=float(after[best] / after_s[best]),
        count=n - first,
        likelihood_ratio=float(gain[best]),
        ended=silence_s > max(_MIN_SILENCE_S, _STILL_GOING_GAPS * gap_s),
        is_new=first == 0,
    )


def _log_likelihood(count: FloatArray, span_s: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, count * np.log(count / span_s), 0.0)
