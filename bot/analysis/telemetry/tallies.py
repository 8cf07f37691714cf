"""Finds what is said or done more often, less often or not at all since the onset: log templates, operations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.analysis.anomalies import FloatArray
from bot.analysis.telemetry.case import Line, SpanBucket
from bot.analysis.templates import group, mask

BIN_S = 10.0
"""Seconds in which things are counted."""
_ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL", "SEVERE", "PANIC", "EXCEPTION"})
_LEAST_BINS = 2
_HALF_SIGMAS = 4.0
_SMOOTH = 0.5
_FEW_SIBLINGS = 2


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something that is counted; ``service`` is whom its absence or its growth is laid to."""

    service: str
    name: str
    is_error: bool = False


@dataclass(kw_only=True)
class Tallies:
    """How often each thing was seen in each bin that was recorded at all."""

    counts: dict[Thing, dict[int, int]] = field(default_factory=dict)
    recorded: set[int] = field(default_factory=set)

    def add(self, thing: Thing, *, time_s: float, count: int = 1) -> None:
        """Count it."""
        place = int(time_s // BIN_S)
        self.recorded.add(place)
        bins = self.counts.setdefault(thing, {})
        bins[place] = bins.get(place, 0) + count


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A thing that is seen more or less often than it should be."""

    thing: Thing
    before: int
    after: int
    expected: float
    """How often it should have been seen since the onset."""
    strength: float
    """0 to 1."""

    @property
    def vanished(self) -> bool:
        """Whether it is seen too seldom, rather than too often."""
        return self.after < self.expected


def of_lines(lines: Sequence[Line]) -> Tallies:
    """Group the lines by what they say (masked, then Drain) and count each group."""
    masked = [mask(line.message) for line in lines]
    templates = group(masked)
    tallies = Tallies()
    for line, text in zip(lines, masked, strict=True):
        thing = Thing(service=line.service, name=templates[text], is_error=line.level in _ERRORS)
        tallies.add(thing, time_s=line.time_s)
    return tallies


def of_spans(spans: Iterable[SpanBucket]) -> Tallies:
    """Count the operations; a call that is no longer made is laid to the caller, who stopped making it."""
    tallies = Tallies()
    for bucket in spans:
        inner = bucket.parent in (bucket.service, "root", "")
        service = bucket.service if inner else bucket.parent
        name = bucket.operation if inner else f"{bucket.service} {bucket.operation}"
        tallies.add(Thing(service=service, name=name), time_s=bucket.time_s, count=bucket.count)
    return tallies


def turns(tallies: Tallies, *, onset_s: float) -> tuple[Turn, ...]:
    """Compare the counts before and since the onset, strongest first.

    What is expected is the earlier count, scaled by the time that was recorded on both sides and by how much
    busier or idler the service's other things have become, so that less traffic is no missing line.  The
    strength is ``z / (z + 4)`` where ``z`` is the root of the Poisson deviance
    ``2 * (n * ln(n / e) - (n - e))``.
    """
    edge = onset_s / BIN_S
    exposed_before = sum(place < edge - _SMOOTH for place in tallies.recorded)
    exposed_after = len(tallies.recorded) - exposed_before
    if min(exposed_before, exposed_after) < _LEAST_BINS:
        return ()
    ratio = exposed_after / exposed_before
    counted = {thing: _sides(bins, edge=edge) for thing, bins in tallies.counts.items()}
    busier = _busier(counted, ratio=ratio)
    found = [
        _turn(thing, before=before, after=after, expected=before * ratio * busier[thing.service])
        for thing, (before, after) in counted.items()
    ]
    return tuple(sorted(found, key=lambda turn: (-turn.strength, turn.thing.service, turn.thing.name)))


def _sides(bins: Mapping[int, int], *, edge: float) -> tuple[int, int]:
    before = sum(count for place, count in bins.items() if place < edge - _SMOOTH)
    return before, sum(bins.values()) - before


def _busier(counted: Mapping[Thing, tuple[int, int]], *, ratio: float) -> dict[str, float]:
    """How many times as much each service has to do as before: the median over its things."""
    ratios: dict[str, list[float]] = {}
    for thing, (before, after) in counted.items():
        each = ratios.setdefault(thing.service, [])
        if before >= _FEW_SIBLINGS:
            each.append((after + _SMOOTH) / (before * ratio + _SMOOTH))
    return {
        service: float(np.median(each)) if len(each) > _FEW_SIBLINGS else 1.0
        for service, each in ratios.items()
    }


def _turn(thing: Thing, *, before: int, after: int, expected: float) -> Turn:
    rate = max(expected, _SMOOTH)
    deviance = 2 * ((after * math.log(after / rate) if after else 0.0) - (after - rate))
    z = math.sqrt(max(deviance, 0.0))
    return Turn(
        thing=thing, before=before, after=after, expected=rate, strength=z / (z + _HALF_SIGMAS) if z else 0.0
    )


def likelihoods(tallies: Tallies, *, at_s: Sequence[float]) -> FloatArray:
    """Say for each moment how much better two rates a thing fit than one: the summed log likelihood ratio."""
    places = sorted(tallies.recorded)
    if not places or not tallies.counts:
        return np.zeros(len(at_s))
    index = {place: number for number, place in enumerate(places)}
    table = np.zeros((len(tallies.counts), len(places)))
    for row, bins in enumerate(tallies.counts.values()):
        for place, count in bins.items():
            table[row, index[place]] = count
    sums = np.concatenate([np.zeros((table.shape[0], 1)), np.cumsum(table, axis=1)], axis=1)
    return np.array([_likelihood(sums, int(np.searchsorted(places, at / BIN_S - _SMOOTH))) for at in at_s])


def _likelihood(sums: FloatArray, cut: int) -> float:
    bins = sums.shape[1] - 1
    if min(cut, bins - cut) < _LEAST_BINS:
        return 0.0
    before, total = sums[:, cut], sums[:, -1]
    after = total - before
    parts = _xlogx(before, cut) + _xlogx(after, bins - cut) - _xlogx(total, bins)
    return float(np.sum(np.maximum(parts - 1.0, 0.0)))


def _xlogx(count: FloatArray, exposure: int) -> FloatArray:
    return np.asarray(count * np.log(np.maximum(count, 1e-12) / exposure), dtype=np.float64)
