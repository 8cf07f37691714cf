"""Finds when the trouble began, where nobody knows: first by the metrics, then by spans and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bot.analysis.telemetry.case import Telemetry
from bot.analysis.telemetry.kinds import Kind
from bot.analysis.telemetry.shifts import baselines, shifts
from bot.analysis.telemetry.tallies import BIN_S, Tallies, likelihoods

_LEAST_BEFORE = 8
_DENSE = 8
_SPARSER_BY = 1.3
_LATEST_SHARE = 0.5
_LOUDEST = 12
_SLACK_STEPS = 1.0


def row_of_onset(case: Telemetry, *, kinds: Sequence[Kind], weights: Sequence[float]) -> int:
    """Find the first row of the trouble: the split at which most series have left their level, weighted.

    Only the loudest dozen count, so that the size of the system does not.  Rows since the split add
    ``n / (n + 1)``: one odd row is no trouble yet.
    """
    rows = case.times_s.size
    metrics = [column.metric for column in case.columns]
    weighted = np.asarray(weights)
    best, best_gain = rows - 1, -1.0
    for after in _lengths(rows):
        split = rows - after
        base = baselines(case.values[:split], kinds=kinds, metrics=metrics)
        strength = shifts(base, case.values[split:], kinds=kinds).strength * weighted
        gain = float(np.sort(strength)[-_LOUDEST:].sum()) * after / (after + 1)
        if gain > best_gain:
            best, best_gain = split, gain
    return best


def _lengths(rows: int) -> Iterator[int]:
    length = 1
    while length <= min(rows - _LEAST_BEFORE, rows * _LATEST_SHARE):
        yield length
        length = max(length + 1, int(length * _SPARSER_BY)) if length >= _DENSE else length + 1


def refined(case: Telemetry, row: int, *, tallies: Sequence[Tallies]) -> float:
    """Give the moment in seconds: between two rows of metrics, where lines and operations change most."""
    step = case.step_s
    row = min(row, case.times_s.size - 1)
    first = float(case.times_s[row])
    begin, end = first - step * (1 + _SLACK_STEPS / 2), first + step * _SLACK_STEPS / 2
    moments = np.arange(begin, end, BIN_S)
    gains = np.sum([likelihoods(each, at_s=moments.tolist()) for each in tallies], axis=0)
    if not tallies or float(np.max(gains)) <= 0:
        return first - step / 2
    return float(moments[int(np.argmax(gains))])
