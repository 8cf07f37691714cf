"""How new an alert is for a system whose earlier incidents are known, be their causes unknown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

_UNSEEN = 5
"""Incidents without the alert that are taken for granted, so that the first few incidents decide little."""


@dataclass(frozen=True, kw_only=True)
class History:
    """In how many earlier incidents each sight was seen, of ``incidents`` in all."""

    incidents: int = 0
    seen: Mapping[Hashable, int] = field(default_factory=dict)

    def news(self, sight: Hashable) -> float:
        """Tell how new a sight is: 1 if never seen before or nothing is known, near 0 if seen every time.

        ``log((n + 5) / (seen + 1)) / log(n + 5)`` for ``n`` incidents: inverse document frequency (Spärck
        Jones 1972) with incidents as documents, scaled to 1.
        """
        known = self.incidents + _UNSEEN
        return math.log(known / (self.seen.get(sight, 0) + 1)) / math.log(known)

    def without(self, sights: Iterable[Hashable]) -> History:
        """Forget one incident with these sights: what is to be judged must not know of itself."""
        forgotten = set(sights)
        seen = {sight: n - (sight in forgotten) for sight, n in self.seen.items()}
        return History(incidents=self.incidents - 1, seen=seen)


def history_of(incidents: Iterable[Iterable[Hashable]]) -> History:
    """Count the sights of each incident once."""
    each = [set(sights) for sights in incidents]
    return History(incidents=len(each), seen=Counter(sight for sights in each for sight in sights))
