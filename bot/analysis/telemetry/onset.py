"""Finds when the trouble began, where nobody knows: first by the metrics, then by spans and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bot.analysis.telemetry import lags
from bot.analysis.telemetry.case import Telemetry
from bot.analysis.telemetry.kinds import Kind
from bot.analysis.telemetry.shifts import baselines, shifts
from bot.analysis.telemetry.tallies import BIN_S, Tallies, likelihoods, turns

_LEAST_BEFORE = 8
_DENSE = 8
_SPARSER_BY = 1.3
_LATEST_SHARE = 0.5
_LOUDEST = 12
_LASTING = 0.3
_LOUDEST_THINGS = 4
_ODD_ROWS = 300

_SLACK_STEPS = 1.0


def row_of_onset(
    case: Telemetry, *, kinds: Sequence[Kind], weights: Sequence[float], tallies: Sequence[Tallies]
) -> int:
    """Find the first row of the trouble: the split at which most has left its ordinary level, in all sources.

    Only the loudest dozen series and few things of the others count, so that the size of the system does not.
    Older splits are tried in strides, and the best one is moved to where it fits best.
    """
    rows = case.times_s.size
    metrics = [column.metric for column in case.columns]
    weighted = np.asarray(weights)

    def gain(after: int) -> float:
        split = rows - after
        base = baselines(case.values[:split], kinds=kinds, metrics=metrics)
        found = shifts(base, case.values[split:], kinds=kinds, at=_LASTING)
        series = float(np.sort(found.strength * weighted)[-_LOUDEST:].sum())
        others = _others(case, case.times_s[split] - case.step_s / 2, tallies=tallies)
        return (series + others) * _credible(after, rows=rows)

    gains = {after: gain(after) for after in _lengths(rows)}
    best = max(gains, key=lambda after: gains[after], default=1)
    stride = best // 8
    while stride:
        for after in (best - stride, best + stride):
            if after not in gains and 0 < after <= rows - _LEAST_BEFORE:
                gains[after] = gain(after)
        best = max(gains, key=lambda after: gains[after])
        stride //= 2
    return rows - best


def _credible(after: int, *, rows: int) -> float:
    """Weigh a split ``n`` rows ago by ``n / (n + c) * y / (y + n)``.

    Few rows are no trouble yet, the more so the more chances there were for odd ones: ``c = 1 + rows / 300``.
    And trouble is looked into when it is young: ``y`` is twice the rows.
    """
    return after / (after + 1 + rows / _ODD_ROWS) * 2 * rows / (2 * rows + after)


def _others(case: Telemetry, onset_s: float, *, tallies: Sequence[Tallies]) -> float:
    """Sum up what lines, operations and wires say for a moment, each with its few loudest things."""
    gain = sum(
        sum(turn.strength for turn in turns(each, onset_s=onset_s)[:_LOUDEST_THINGS]) for each in tallies
    )
    shares = lags.blamed(lags.of_spans(case.spans, onset_s=onset_s))
    return gain + max(shares.values(), default=0.0)


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
