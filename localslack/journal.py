"""The traffic between the apps and Slack, newest last, for people who write apps."""

from __future__ import annotations

from collections import deque
from typing import Any

from localslack.clock import WorkspaceClock
from localslack.feed import Feed
from localslack.shapes import Json

KEPT = 500


class ActivityLog:
    """The last 500 calls and envelopes, each sent to the page as it is written. They never hold a token."""

    def __init__(self, clock: WorkspaceClock, feed: Feed) -> None:
        self._clock = clock
        self._feed = feed
        self._number = 0
        self.entries: deque[Json] = deque(maxlen=KEPT)

    def write(
        self,
        *,
        kind: str,
        name: str,
        ms: float | None = None,
        error: str | None = None,
        **detail: Any,  # noqa: ANN401
    ) -> None:
        """Record one entry: ``kind`` is ``call``, ``envelope`` or ``socket``; ``ms`` is how long it took."""
        self._number += 1
        entry = {
            "n": self._number,
            "at": self._clock.now(),
            "kind": kind,
            "name": name,
            "ms": None if ms is None else round(ms, 1),
            "error": error,
            "detail": detail,
        }
        self.entries.append(entry)
        self._feed.tell({"type": "log", "entry": entry})
