"""Judges measurements of both sides by the interval of their shift."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from bot.canary.phrases import relative, wait_words
from bot.canary.selection import Floats
from bot.canary.shift import ShiftEstimate, shift_between
from bot.domain.formatting import figure
from bot.domain.rollouts.judging import SampleMetric
from bot.domain.rollouts.verdict import Interval, MetricOutcome, MetricVerdict

_LEFT_OUT_TOO_MANY = 0.5
_GAP = 2
"""So many missing samples at the end are a gap; more are the end of the series."""
_IMMENSE = 1e300
"""From here on differences may overflow, and no measurement is so large."""


def judge_samples(metric: SampleMetric) -> MetricVerdict:
    """Judge by where the shift's interval lies: beyond the tolerated, within the harmful, or in between."""
    canary, stable = finite(metric.canary), finite(metric.stable)
    for side, given, kept in (("the canary", metric.canary, canary), ("stable", metric.stable, stable)):
        if has_infinite(given):
            return _verdict(metric, MetricOutcome.ERROR, "infinite", f"{side} has infinite samples")
        if not kept.size:
            return _verdict(metric, MetricOutcome.NO_DATA, "no_samples", f"{side} has no samples")
        if kept.size < len(given) * _LEFT_OUT_TOO_MANY:
            text = f"{len(given) - kept.size} of {len(given)} samples of {side} are missing"
            return _verdict(metric, MetricOutcome.NO_DATA, "mostly_missing", text)
    if min(canary.size, stable.size) < metric.min_samples:
        return _too_few(metric, canary, stable)
    confidence = 1 - (1 - metric.confidence) / metric.planned_looks
    shift = shift_between(canary, stable, confidence=confidence, independent=metric.independent)
    found = _by_interval(metric, shift, baseline=float(np.median(stable)), confidence=confidence)
    for side, given in (("the canary", metric.canary), ("stable", metric.stable)):
        if found.outcome is not MetricOutcome.FAIL and ended_early(given, most=_GAP):
            text = f"the newest samples of {side} are missing: earlier ones prove nothing about now"
            return _verdict(metric, MetricOutcome.NO_DATA, "newest_missing", text)
    return found


def has_infinite(values: Sequence[float | None]) -> bool:
    """Return whether a value is not a measurement: a division by zero, an overflow."""
    return any(value is not None and abs(value) > _IMMENSE for value in values)


def ended_early(values: Sequence[float | None], *, most: int) -> bool:
    """Return whether more than ``most`` of the newest values are missing, one after the other."""
    newest = values[-most - 1 :]
    return len(newest) > most and not finite(newest).size


def finite(values: Sequence[float | None]) -> Floats:
    """Return the values that were measured, in their order."""
    kept = [value for value in values if value is not None and not isnan(value)]
    return np.asarray(kept, dtype=np.float64)


def _by_interval(
    metric: SampleMetric, shift: ShiftEstimate, *, baseline: float, confidence: float
) -> MetricVerdict:
    tolerated = max(metric.tolerated_change * abs(baseline), metric.tolerated_shift)
    harmful = max(metric.harmful_change * abs(baseline), metric.harmful_shift, tolerated)
    # A side on which nothing harms has no bound to cross; an open end crosses none and rules nothing out.
    up = metric.direction != "decrease"
    down = metric.direction != "increase"
    if up and shift.low is not None and shift.low > tolerated:
        outcome, reason = MetricOutcome.FAIL, "shifted_up"
    elif down and shift.high is not None and shift.high < -tolerated:
        outcome, reason = MetricOutcome.FAIL, "shifted_down"
    elif _within(shift, harmful, up=up, down=down):
        outcome, reason = MetricOutcome.PASS, "harm_ruled_out"
    else:
        outcome, reason = MetricOutcome.INCONCLUSIVE, "interval_too_wide"
    verdict = _verdict(metric, outcome, reason, _words(metric, shift, baseline, confidence, outcome))
    return verdict.model_copy(
        update={
            "value": baseline + shift.estimate,
            "baseline": baseline,
            "interval": Interval(low=shift.low, high=shift.high, confidence=confidence),
            "effective_canary": shift.effective_canary,
            "effective_stable": shift.effective_stable,
        }
    )


def _within(shift: ShiftEstimate, harmful: float, *, up: bool, down: bool) -> bool:
    above = not up or (shift.high is not None and shift.high <= harmful)
    below = not down or (shift.low is not None and shift.low >= -harmful)
    return above and below


def _words(
    metric: SampleMetric, shift: ShiftEstimate, baseline: float, confidence: float, outcome: MetricOutcome
) -> str:
    against = figure(baseline, metric.unit)
    shifted = relative(shift.estimate, baseline, metric.unit)
    text = f"{metric.name} on the canary: {shifted} against {against} on stable"
    if shift.low is None or shift.high is None:
        text += f"; too few independent samples for {confidence:.4g} confidence"
    else:
        low, high = figure(shift.low, metric.unit), figure(shift.high, metric.unit)
        text += f"; a shift between {low} and {high} ({confidence * 100:.4g} % sure)"
    text += f"; worth {shift.effective_canary:.0f} against {shift.effective_stable:.0f} independent samples"
    return f"{text}; harm is neither certain nor ruled out" if outcome is MetricOutcome.INCONCLUSIVE else text


def _too_few(metric: SampleMetric, canary: Floats, stable: Floats) -> MetricVerdict:
    have = min(canary.size, stable.size)
    wait_s = None if metric.interval_s is None else (metric.min_samples - have) * metric.interval_s
    text = f"{have} of {metric.min_samples} samples needed on each side{wait_words(wait_s)}"
    return _verdict(metric, MetricOutcome.INCONCLUSIVE, "too_few_samples", text).model_copy(
        update={"have": have, "needed": metric.min_samples, "wait_s": wait_s}
    )


def _verdict(metric: SampleMetric, outcome: MetricOutcome, reason: str, text: str) -> MetricVerdict:
    return MetricVerdict(
        metric=metric.name,
        outcome=outcome,
        reason=reason,
        text=text,
        critical=metric.critical,
        weight=metric.weight,
        optional=metric.optional,
        unit=metric.unit,
        query=metric.query,
    )
