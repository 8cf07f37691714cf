"""How new an alert is for a system whose earlier incidents are known, even if their causes are not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

_UNSEEN = 5
"""Incidents without the alert that are taken for granted, so that the first few incidents decide little."""


@dataclass(frozen=True, kw_only=True)
class IncidentHistory:
    """In which earlier incidents, by their numbers, each sight was seen, of ``incidents`` in all."""

    incidents: int = 0
    seen: Mapping[Hashable, frozenset[int]] = field(default_factory=dict)
    forgotten: frozenset[int] = frozenset()
    """The numbers of those to be left out."""

    def news(self, sight: Hashable) -> float:
        """Return how new a sight is: 1 if never seen before or nothing is known, near 0 if seen every time.

        ``log((n + 5) / (seen + 1)) / log(n + 5)`` for ``n`` incidents: inverse document frequency (Spärck
        Jones 1972) with incidents as documents, scaled to 1.
        """
        known = self.incidents + _UNSEEN
        return math.log(known / (len(self._times(sight)) + 1)) / math.log(known)

    def likeness(self, one: Hashable, other: Hashable) -> float:
        """Return the share, 0 to 1, of the incidents with either sight that had both (Jaccard 1912)."""
        if one == other:
            return 1.0
        mine, theirs = self._times(one), self._times(other)
        return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0

    def shares(self, sights: Iterable[Hashable]) -> Mapping[Hashable, float]:
        """Return how much evidence each of several sights is: 1, less if it comes with others of them.

        One by the sum of its likenesses to all of them, itself among them: how little ordinary a species is
        (Leinster and Cobbold 2012).  Ten lines that always came together count as one, strangers each as one.
        """
        each = tuple(sights)
        return {one: 1.0 / math.fsum(self.likeness(one, other) for other in each) for one in each}

    def without(self, number: int) -> IncidentHistory:
        """Leave out one incident: an incident under judgement must not be part of its own history."""
        return replace(self, incidents=self.incidents - 1, forgotten=self.forgotten | {number})

    def _times(self, sight: Hashable) -> frozenset[int]:
        return self.seen.get(sight, frozenset()) - self.forgotten


def history_of(incidents: Iterable[Iterable[Hashable]]) -> IncidentHistory:
    """Number the incidents from 0, and keep for each sight which ones had it."""
    seen: dict[Hashable, set[int]] = defaultdict(set)
    count = 0
    for number, sights in enumerate(incidents):
        count = number + 1
        for sight in sights:
            seen[sight].add(number)
    return IncidentHistory(
        incidents=count, seen={sight: frozenset(numbers) for sight, numbers in seen.items()}
    )
