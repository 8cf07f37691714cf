"""Finds the moments at which the trouble may have begun, and how credible each is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.diagnosis.offline import lags
from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.kinds import FaultKind
from bot.diagnosis.offline.shifts import baselines, shifts
from bot.diagnosis.offline.tallies import BIN_S, Tallies, turns

_LEAST_BEFORE = 8
_DENSE = 8
_SPARSER_BY = 1.3
_LATEST_SHARE = 0.5
_LOUDEST = 12
_LASTING = 0.3
_LOUDEST_THINGS = 4
_ODD_ROWS = 300
_YOUNG_S = 1800.0
_SHARPNESS = 3
_WORTH_A_LOOK = 0.3
_MOST_BINS = 6
_LEAST_OF_THE_BEST = 0.02

_TOLD_WITHIN_S = 15.0
_TOLD_BINS = (-2, -1, 0, 1, 2)
_SAID_SHARE = 0.5
_LATE_S = 600.0
_LATE_ROWS = 3


@dataclass(frozen=True, kw_only=True)
class Onset:
    """One moment at which it may have begun, in seconds since the epoch."""

    at_s: float
    row: int
    """The first row of metrics after it."""
    share: float
    """How credible it is that it began then or about then, 0 to 1; those of all moments add up to one."""
    gain: float = 0.0
    """How much is out of the ordinary since; no unit."""


def likeliest(onsets: Sequence[Onset]) -> Onset:
    """Return the one moment to be shown; an old one that represents many rows is not a single moment."""
    return max(onsets, key=lambda onset: (onset.gain, onset.share, -onset.at_s))


def told(
    case: Telemetry, *, at_s: float, tallies: Sequence[Tallies], elsewhere: Sequence[Onset]
) -> tuple[Onset, ...]:
    """Weigh the reported moment by half, and those found shortly before it by half: people notice late.

    ``elsewhere`` are the moments that are found; of these count what is at most ten minutes or three rows
    older and at most a row younger.  The reported moment is exact to the row.  Lines and spans are finer:
    they are looked at from two bins before to two bins after it, with the weights of a normal distribution.
    """
    row = min(max(int(np.searchsorted(case.times_s, at_s)), 1), case.times_s.size - 1)
    moments = [number * BIN_S for number in _TOLD_BINS] if tallies else [0.0]
    shares = [math.exp(-((away / _TOLD_WITHIN_S) ** 2) / 2) for away in moments]
    said = [
        Onset(at_s=at_s + away, row=row, share=share) for away, share in zip(moments, shares, strict=True)
    ]
    first_s = at_s - max(_LATE_S, _LATE_ROWS * case.step_s)
    near = [onset for onset in elsewhere if first_s <= onset.at_s <= at_s + case.step_s]
    if not near:
        return _in_all(said, 1.0)
    return _in_all(said, _SAID_SHARE) + _in_all(near, 1 - _SAID_SHARE)


def _in_all(onsets: Sequence[Onset], total: float) -> tuple[Onset, ...]:
    whole = sum(onset.share for onset in onsets)
    return tuple(replace(onset, share=onset.share / whole * total) for onset in onsets)


def found(
    case: Telemetry,
    *,
    kinds: Sequence[FaultKind],
    weights: Sequence[float],
    tallies: Sequence[Tallies],
    wires: lags.Wires,
) -> tuple[Onset, ...]:
    """Find the moments at which most has left its ordinary level, in all sources.

    A moment's share is proportional to ``gain**3``, times the rows that it stands for.  No single one is
    relied on: which lines are missing changes with each bin, and who is at fault should not.  What has not
    a fiftieth of the best one's share is left out.
    """
    gains = _Gains(case=case, kinds=kinds, weights=weights, tallies=tallies, wires=wires)
    by_length = _by_length(gains)
    best = max(by_length.values(), default=0.0)
    if best <= 0:
        row = case.times_s.size - 1
        return (Onset(at_s=gains.middle_of(row), row=row, share=1.0),)
    raw: list[Onset] = []
    for length, width in _widths(sorted(by_length)).items():
        row, gain = case.times_s.size - length, by_length[length]
        fine = gains.bins_of(row) if gain >= best * _WORTH_A_LOOK else ()
        moments = {at_s: gains.at(row, at_s) for at_s in fine}
        if not any(moments.values()):
            moments = {gains.middle_of(row): gain}
        raw.extend(
            Onset(at_s=at_s, row=row, share=(each / best) ** _SHARPNESS * width / len(moments), gain=each)
            for at_s, each in moments.items()
        )
    return _kept(raw)


def _kept(raw: Sequence[Onset]) -> tuple[Onset, ...]:
    least = max(onset.share for onset in raw) * _LEAST_OF_THE_BEST
    return _in_all([onset for onset in raw if onset.share >= least], 1.0)


@dataclass(kw_only=True)
class _Gains:
    """What is gained by a split: how much is out of the ordinary since, in a few of the loudest things."""

    case: Telemetry
    kinds: Sequence[FaultKind]
    weights: Sequence[float]
    tallies: Sequence[Tallies]
    wires: lags.Wires
    _series: dict[int, float] = field(default_factory=dict)

    def at(self, row: int, at_s: float) -> float:
        """Sum up all sources; only the loudest count, so that the size of the system does not."""
        rows = self.case.times_s.size
        return (self._of_series(row) + self._of_others(at_s)) * _credible(
            rows - row, rows=rows, step_s=self.case.step_s
        )

    def middle_of(self, row: int) -> float:
        """Return the moment that represents a row if nothing is known more exactly."""
        return float(self.case.times_s[row]) - self.case.step_s / 2

    def bins_of(self, row: int) -> tuple[float, ...]:
        """Return the starts of the bins of lines and operations within a row of metrics, six at most."""
        begin, end = self.case.times_s[row - 1], self.case.times_s[row]
        places = {place for each in self.tallies for place in each.recorded}
        bins = sorted(place * BIN_S for place in places if begin < place * BIN_S <= end)
        return tuple(bins[:: max(math.ceil(len(bins) / _MOST_BINS), 1)])

    def _of_series(self, row: int) -> float:
        if row not in self._series:
            metrics = [column.metric for column in self.case.columns]
            base = baselines(self.case.values[:row], kinds=self.kinds, metrics=metrics)
            seen = shifts(base, self.case.values[row:], kinds=self.kinds, at=_LASTING)
            self._series[row] = float(np.sort(seen.strength * np.asarray(self.weights))[-_LOUDEST:].sum())
        return self._series[row]

    def _of_others(self, at_s: float) -> float:
        """Sum up the evidence of lines, operations and wires for a moment, by the few loudest of each."""
        gain = sum(
            sum(turn.strength for turn in turns(each, onset_s=at_s)[:_LOUDEST_THINGS])
            for each in self.tallies
        )
        shares = lags.blamed(lags.lost(self.wires, onset_s=at_s))
        return gain + max(shares.values(), default=0.0)


def _by_length(gains: _Gains) -> dict[int, float]:
    """Return the gain of each split by the rows since; old ones in strides, densely near the best."""
    rows = gains.case.times_s.size

    def gain(length: int) -> float:
        return gains.at(rows - length, gains.middle_of(rows - length))

    found = {length: gain(length) for length in _lengths(rows)}
    best = max(found, key=lambda length: found[length], default=1)
    stride = best // 8
    while stride:
        for length in (best - stride, best + stride):
            if length not in found and 0 < length <= rows - _LEAST_BEFORE:
                found[length] = gain(length)
        best = max(found, key=lambda length: found[length])
        stride //= 2
    return found


def _lengths(rows: int) -> Iterator[int]:
    length = 1
    while length <= min(rows - _LEAST_BEFORE, rows * _LATEST_SHARE):
        yield length
        length = max(length + 1, int(length * _SPARSER_BY)) if length >= _DENSE else length + 1


def _widths(lengths: Sequence[int]) -> Mapping[int, float]:
    """Return the rows that each of the ascending lengths represents: half the way to the next on both sides.

    From the eighth on a row counts less, by ``8 / length``: older ones are tried in strides, each of which is
    then worth about as much as a single row.
    """
    shorter = [lengths[0] - 1, *lengths[:-1]]
    longer = [*lengths[1:], lengths[-1] + 1]
    return {
        each: (high - low) / 2 * min(_DENSE / each, 1.0)
        for low, each, high in zip(shorter, lengths, longer, strict=True)
    }


def _credible(after: int, *, rows: int, step_s: float) -> float:
    """Weigh a split ``n`` rows ago by ``n / (n + c) * y / (y + age)``.

    Few rows are not enough, the less so the more chances there were for odd ones: ``c = 1 + rows / 300``.
    And trouble is looked into when it is young: ``y`` is half an hour.
    """
    return after / (after + 1 + rows / _ODD_ROWS) * _YOUNG_S / (_YOUNG_S + after * step_s)
