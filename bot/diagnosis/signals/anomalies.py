"""Finds where a series left its ordinary level: robust, aware of direction, with floors per metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MIN_BEFORE = 5
"""Samples of ordinary life without which there is no baseline."""
_RECENT = 10
_LAST = 3
_LASTING_QUANTILE = 0.2
_EPISODES = 3
_HALF = 0.5
_DENSE = 16
_SPARSER_BY = 1.2
_MAD_TO_SIGMA = 1.4826
_WIDE_TO_SIGMA = 0.39
_SIGMAS_AT_ONSET = 3.0
_SHARE_AT_ONSET = 0.1
_LONG_BASELINE = 20
_CAUTION = 1.5


@dataclass(frozen=True, kw_only=True)
class AnomalyRule:
    """When a shift of one kind of metric is worth reporting; levels and shifts are in its own unit."""

    direction: Literal["up", "down"] = "up"
    """The direction that hurts; the other one is never an anomaly."""
    floor: float
    """The least shift; without it, near-constant series drown everything."""
    half: float
    """The shift of strength 0.5; a share of the baseline where ``relative`` is set."""
    relative: bool = False
    ratio: float = 1.0
    """The least ratio of the new level to the baseline (of the baseline to the new level when down)."""
    limit: float | None = None
    """A level that is bad in itself, even where nothing is known of earlier."""
    sigmas: float = 4.0
    min_after: int = 2
    """Samples that a shift must last."""


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """A level that is not the ordinary one; times in seconds since the epoch, levels in the series' unit."""

    value: float
    baseline: float | None
    """The ordinary level; none where the series was never ordinary."""
    onset_s: float | None
    """When the level was left; none where that was before the first sample."""
    strength: float
    """0 to 1: ``shift / (shift + half)``."""


def detect(times_s: FloatArray, values: FloatArray, *, rule: AnomalyRule) -> Anomaly | None:
    """Compare the level a series has at its end with the one it had before it changed.

    The change point maximises ``n_before * n_after / n * step**2``, the two-sample form of least squares
    segmentation, where the step is from the median before to the lower quintile after: what has calmed down
    since does not count, so that of several faults in the window the one that lasts is found.
    The spread is the larger of the scaled median absolute deviation and 0.39 of the 10-90 % range, both of
    them a normal distribution's standard deviation; a burst at start-up moves neither, and up to three
    earlier faults are left out.
    Samples that are not finite are left out.
    """
    keep = np.isfinite(times_s) & np.isfinite(values)
    times, series = times_s[keep], values[keep]
    if series.size < max(3, rule.min_after):
        return None
    sign = 1.0 if rule.direction == "up" else -1.0
    shifted = _shifted(times, series * sign, rule=rule, sign=sign)
    return shifted if shifted is not None else _beyond_limit(times, series, rule=rule)


def _shifted(times: FloatArray, x: FloatArray, *, rule: AnomalyRule, sign: float) -> Anomaly | None:
    if x.size < MIN_BEFORE + rule.min_after or float(np.ptp(x)) < rule.floor:
        return None
    split = _change_point(x, min_after=rule.min_after)
    if split is None:
        return None
    before = x[:split]
    baseline = float(np.median(before))
    level = float(np.median(x[max(split, x.size - _RECENT) :]))
    last = float(np.median(x[-_LAST:]))
    spread = _spread(_without_episodes(before, above=(baseline + level) / 2))
    shift = min(level, last) - baseline
    long = before.size >= _LONG_BASELINE
    least = max(rule.floor, rule.sigmas * spread) * (1.0 if long else _CAUTION)
    lasting = int(np.count_nonzero(x[split:] >= baseline + least)) >= rule.min_after
    if shift < least or not lasting or not _ratio_reached(level * sign, baseline * sign, rule=rule):
        return None
    edge = max(least / 2, _SIGMAS_AT_ONSET * spread, _SHARE_AT_ONSET * shift)
    onset = _onset(x, split, threshold=baseline + min(edge, shift * 0.75))
    return Anomaly(
        value=level * sign + 0.0,
        baseline=baseline * sign + 0.0,
        onset_s=float(times[onset]),
        strength=_strength(shift, baseline=baseline * sign, rule=rule),
    )


def _beyond_limit(times: FloatArray, series: FloatArray, *, rule: AnomalyRule) -> Anomaly | None:
    """Judge a level by the limit alone, if there is no ordinary level or it is too restless."""
    if rule.limit is None:
        return None
    beyond = series >= rule.limit if rule.direction == "up" else series <= rule.limit
    within = np.flatnonzero(~beyond)
    first = int(within[-1]) + 1 if within.size else 0
    lasting = series.size - first
    if lasting < max(_LAST, rule.min_after):
        return None
    level = float(np.median(series[max(first, series.size - _RECENT) :]))
    ordinary = float(np.median(series[:first])) if first >= MIN_BEFORE else None
    return Anomaly(
        value=level,
        baseline=ordinary,
        onset_s=float(times[first]) if first else None,
        strength=_strength(abs(level), baseline=abs(level), rule=rule),
    )


def _change_point(x: FloatArray, *, min_after: int) -> int | None:
    """Find the first sample of the new, higher level: recent ones are all tried, older ones in strides."""
    n = x.size
    best, best_gain = None, 0.0
    for split in (n - after for after in _lengths_after(n, min_after=min_after)):
        step = _at_share(x[split:], _LASTING_QUANTILE) - _at_share(x[:split], _HALF)
        gain = split * (n - split) / n * step * step
        if step > 0 and gain > best_gain:
            best, best_gain = split, gain
    return None if best is None else _back_to_the_edge(x, best)


def _at_share(x: FloatArray, share: float) -> float:
    # A hundred times a series, where the conveniences of `np.quantile` cost more than the sum itself.
    place = int(share * (x.size - 1))
    return float(np.partition(x, place)[place])


def _back_to_the_edge(x: FloatArray, split: int) -> int:
    middle = float(np.median(x[:split]) + np.median(x[split:])) / 2
    while split > MIN_BEFORE and x[split - 1] > middle:
        split -= 1
    return split


def _lengths_after(n: int, *, min_after: int) -> Iterator[int]:
    length = min_after
    while length <= n - MIN_BEFORE:
        yield length
        length = max(length + 1, int(length * _SPARSER_BY)) if length >= _DENSE else length + 1


def _without_episodes(before: FloatArray, *, above: float) -> FloatArray:
    """Leave out earlier faults: a few long stays above a level, unlike noise that keeps reaching it."""
    high = before > above
    begun = int(np.count_nonzero(high[1:] & ~high[:-1])) + int(high[0])
    return before[~high] if begun <= _EPISODES and high.mean() < _HALF else before


def _spread(before: FloatArray) -> float:
    centre = np.median(before)
    mad = float(np.median(np.abs(before - centre))) * _MAD_TO_SIGMA
    low, high = np.quantile(before, (0.1, 0.9))
    return max(mad, float(high - low) * _WIDE_TO_SIGMA)


def _ratio_reached(level: float, baseline: float, *, rule: AnomalyRule) -> bool:
    larger, smaller = (level, baseline) if rule.direction == "up" else (baseline, level)
    return larger >= rule.ratio * smaller


def _onset(x: FloatArray, split: int, *, threshold: float) -> int:
    first = split
    while first > 0 and x[first - 1] > threshold:
        first -= 1
    while first < x.size - 1 and x[first] <= threshold:
        first += 1
    return first


def _strength(shift: float, *, baseline: float, rule: AnomalyRule) -> float:
    scale = rule.half * max(abs(baseline), 1e-12) if rule.relative else rule.half
    return shift / (shift + scale)
