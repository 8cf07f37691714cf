"""Finds what is logged or done more often, less often or not at all since the onset, in logs and spans."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.diagnosis.offline.case import CaseLogLine, SpanBucket
from bot.diagnosis.signals.anomalies import BoolArray, FloatArray
from bot.diagnosis.signals.templates import group, mask

BIN_S = 10.0
"""Seconds in which things are counted."""
_ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL", "SEVERE", "PANIC", "EXCEPTION"})
_PLACE = re.compile(r"[A-Za-z_][\w.$]*(?:#|\.(?:java|kt|scala|py|go|js|ts|rb|cs|php|rs|cpp|c):)\d+")
_PLACE_WITHIN = 120
"""Characters of a line in which its place may stand."""
_LEAST_BINS = 2
_HALF_SIGMAS = 2.5
_RESTLESS = 0.3
_SMOOTH = 0.5
_FEW_SIBLINGS = 2
_COMPANION = 0.85
_AS_MANY = 0.5


@dataclass(frozen=True, kw_only=True)
class TalliedThing:
    """Something that is counted; ``service`` is where its absence or growth is attributed to."""

    service: str
    name: str
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """The bins that were recorded, ascending, and for each service its things and their counts in these."""

    places: FloatArray
    services: tuple[tuple[tuple[TalliedThing, ...], FloatArray], ...]


@dataclass(kw_only=True)
class Tallies:
    """How often each thing was seen in each bin that was recorded at all."""

    counts: dict[TalliedThing, dict[int, int]] = field(default_factory=dict)
    recorded: set[int] = field(default_factory=set)
    _tables: _Tables | None = field(default=None, repr=False, compare=False)

    def add(self, thing: TalliedThing, *, time_s: float, count: int = 1) -> None:
        """Count it."""
        place = int(time_s // BIN_S)
        self.recorded.add(place)
        bins = self.counts.setdefault(thing, {})
        bins[place] = bins.get(place, 0) + count
        self._tables = None

    def tables(self) -> _Tables:
        """Return the counts as tables, once for all the moments that are examined."""
        if self._tables is None:
            places = sorted(self.recorded)
            services: dict[str, list[TalliedThing]] = {}
            for thing in self.counts:
                services.setdefault(thing.service, []).append(thing)
            self._tables = _Tables(
                places=np.array(places, dtype=np.float64),
                services=tuple(
                    (tuple(things), np.array([self._row(thing, places) for thing in things]))
                    for things in services.values()
                ),
            )
        return self._tables

    def _row(self, thing: TalliedThing, places: Sequence[int]) -> list[float]:
        bins = self.counts[thing]
        return [float(bins.get(place, 0)) for place in places]


@dataclass(frozen=True, kw_only=True)
class TurningPoint:
    """A thing that is seen more or less often than it should be."""

    thing: TalliedThing
    before: int
    after: int
    expected: float
    """How often it should have been seen since the onset."""
    strength: float
    """0 to 1."""
    deviance: float
    """Of the Poisson distribution that was expected, before restlessness is allowed for."""

    @property
    def vanished(self) -> bool:
        """Whether it is seen too seldom, rather than too often."""
        return self.after < self.expected


def of_lines(lines: Sequence[CaseLogLine]) -> Tallies:
    """Group the lines by their text (masked, then Drain), or by their place in the code, and count.

    A place in the code is one statement, whatever it logs; lists make many templates of it.  An error
    handler logs many things at one place, so these are grouped by both.
    """
    places = [_PLACE.search(line.message[:_PLACE_WITHIN]) for line in lines]
    told = [line.level in _ERRORS or place is None for line, place in zip(lines, places, strict=True)]
    masked = [mask(line.message) if tell else "" for line, tell in zip(lines, told, strict=True)]
    templates = group(text for text in masked if text)
    tallies = Tallies()
    for line, place, text in zip(lines, places, masked, strict=True):
        parts = (place[0] if place else "", templates.get(text, text))
        name = " ".join(part for part in parts if part)
        tallies.add(
            TalliedThing(service=line.service, name=name, is_error=line.level in _ERRORS), time_s=line.time_s
        )
    return tallies


def of_spans(spans: Iterable[SpanBucket]) -> Tallies:
    """Count the operations; a call that is no longer made is attributed to the caller."""
    tallies = Tallies()
    for bucket in spans:
        inner = bucket.parent in (bucket.service, "root", "")
        service = bucket.service if inner else bucket.parent
        name = bucket.operation if inner else f"{bucket.service} {bucket.operation}"
        tallies.add(TalliedThing(service=service, name=name), time_s=bucket.time_s, count=bucket.count)
    return tallies


def turns(tallies: Tallies, *, onset_s: float) -> tuple[TurningPoint, ...]:
    """Compare the counts before and since the onset, strongest first.

    What is expected is the earlier count, scaled by the time that was recorded on both sides and by how much
    busier or idler the service's other things have become, so that less traffic is not a missing line.  The
    strength is ``z / (z + 2.5)`` where ``z`` is the root of the deviance of one Poisson rate for both sides,
    ``2 * (b * ln(b / eb) + a * ln(a / ea))``: what was hardly seen before is not much expected after.  It is
    divided by ``1 + 0.09 * h`` as requests come in sessions and bursts; ``1 / h`` is the sum of the inverse
    counts.  What is seen too seldom counts by the share that is gone.
    """
    tables = tallies.tables()
    cut = int(np.searchsorted(tables.places, onset_s / BIN_S - _SMOOTH))
    if min(cut, tables.places.size - cut) < _LEAST_BINS:
        return ()
    ratio = (tables.places.size - cut) / cut
    found: list[TurningPoint] = []
    for things, table in tables.services:
        before, after = table[:, :cut].sum(axis=1), table[:, cut:].sum(axis=1)
        expected = _of_service(table, cut=cut, ratio=ratio)
        found.extend(
            _turn(
                thing,
                before=int(before[row]),
                after=int(after[row]),
                expected=float(expected[row]),
                ratio=ratio,
            )
            for row, thing in enumerate(things)
        )
    return tuple(sorted(found, key=lambda turn: (-turn.strength, turn.thing.service, turn.thing.name)))


def _companions(before: FloatArray) -> BoolArray:
    """Return for each thing which others went up and down with it (a cosine of 0.85 over the bins)."""
    total = before.sum(axis=1)
    norms = np.maximum(np.linalg.norm(before, axis=1), 1e-9)
    alike = before @ before.T / np.outer(norms, norms)
    np.fill_diagonal(alike, 0.0)
    often = total[None, :] >= np.maximum(_FEW_SIBLINGS, total[:, None] * _AS_MANY)
    return np.asarray((alike >= _COMPANION) & often, dtype=np.bool_)


def _chances(table: FloatArray, companions: BoolArray) -> BoolArray:
    """Return the bins in which a thing could have been seen: those with its companions, else all."""
    if not companions.any():
        return np.ones(table.shape[1], dtype=np.bool_)
    return np.asarray((table[companions] > 0).any(axis=0), dtype=np.bool_)


def silence_chance(tallies: Tallies, thing: TalliedThing, *, onset_s: float) -> float:
    """Return how likely, 0 to 1, the longest silence of a thing since the onset is in ordinary life.

    A steady thing is seen in nearly every bin, so that a few without it mean something.  What is logged when
    a process starts comes in bursts, many lines in one bin and then none for long; its count is not a rate.
    So bins count and not lines: with ``k`` of ``s`` bins since the first one, a silence of ``n`` bins has the
    chance ``(s / (s + n)) ** (k - 1)``, the predictive distribution of a Poisson process whose rate is
    estimated from its ``k - 1`` intervals.  One bin alone shows no rate.  Only bins count in which a
    companion was seen, if it has any.
    """
    tables = tallies.tables()
    cut = int(np.searchsorted(tables.places, onset_s / BIN_S - _SMOOTH))
    things, table = next((things, table) for things, table in tables.services if thing in things)
    row = things.index(thing)
    seen, chances = table[row] > 0, _chances(table, _companions(table[:, :cut])[row])
    first = int(np.argmax(seen))
    span = int(np.count_nonzero(chances[first:cut] | seen[first:cut]))
    often = int(np.count_nonzero(seen[:cut]))
    longest = silent = 0
    for is_seen, could_be in zip(seen[cut:], chances[cut:], strict=True):
        silent = 0 if is_seen else silent + int(could_be)
        longest = max(longest, silent)
    return float((span / (span + longest)) ** max(often - 1, 0)) if longest else 1.0


def _of_service(table: FloatArray, *, cut: int, ratio: float) -> FloatArray:
    """Expect of each thing that it has become as much busier or idler as the median of its companions.

    Companions are lines of one request.  If a line is missing while its companions are there, the
    request broke off; if they are missing too, there was none.  A thing without companions goes by the
    median of its service.
    """
    before, after = table[:, :cut], table[:, cut:].sum(axis=1)
    total = before.sum(axis=1)
    change = (after + _SMOOTH) / (total * ratio + _SMOOTH)
    known = total >= _FEW_SIBLINGS
    median = float(np.median(change[known])) if known.sum() > _FEW_SIBLINGS else 1.0
    close = _companions(before)
    told = np.array([np.median(change[row]) if row.any() else min(median, 1.0) for row in close])
    return np.asarray(total * ratio * told, dtype=np.float64)


def _turn(thing: TalliedThing, *, before: int, after: int, expected: float, ratio: float) -> TurningPoint:
    rate = max(expected, _SMOOTH)
    scale = expected / before if before else ratio
    both = (before + after) / (1 + scale)
    deviance = 2 * (_gap(before, both) + _gap(after, both * scale))
    known = 1 / (1 / rate + 1 / max(before, _SMOOTH))
    z = math.sqrt(max(deviance, 0.0) / (1 + _RESTLESS**2 * known))
    gone = max(1 - after / rate, 0.0) if after < rate else 1.0
    return TurningPoint(
        thing=thing,
        before=before,
        after=after,
        expected=rate,
        strength=gone * z / (z + _HALF_SIGMAS),
        deviance=deviance,
    )


def _gap(count: int, mean: float) -> float:
    return count * math.log(count / mean) if count else 0.0


def likelihoods(tallies: Tallies, *, at_s: Sequence[float]) -> FloatArray:
    """Return for each moment how much better two rates fit than one: the summed log likelihood ratio."""
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
