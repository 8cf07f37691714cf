"""How fast all workers together may write to Slack."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.ports.budget import Budget


@dataclass(frozen=True, kw_only=True)
class SlackRateLimits:
    """Limits of our own, within Slack's: one post a second a channel and 50 edits a minute in all.

    The two buckets of edits together start no more than 50 in any minute.
    """

    posts_per_s: float = 1.0
    posts_burst: float = 4
    edits_per_s: float = 30 / 60
    edits_burst: float = 6
    urgent_edits_per_s: float = 10 / 60
    """What urgent edits may use in addition, once the others have used up theirs."""
    urgent_edits_burst: float = 4
    edit_gap_s: float = 3.0
    """The least time between two edits of one message, unless it is urgent."""
    picture_gap_s: float = 15.0
    """The least time between two pictures of one message, unless it is urgent."""
    uploads_per_s: float = 20 / 60
    uploads_burst: float = 4
    first_edit_s: float = 1.0
    """The least time between a post and its first edit, unless it is urgent."""


class Allowance:
    """Asks the shared budget, and respects the pauses that Slack asks for."""

    def __init__(self, budget: Budget, pace: SlackRateLimits) -> None:
        """Take from ``budget``, which all workers share."""
        self._budget = budget
        self._pace = pace
        self._paused: dict[str, float] = {}

    async def post(self, channel: str) -> float:
        """Ask for one post; return 0 if it is allowed, else the seconds after which to ask again."""
        pace = self._pace
        return await self._take(_posts(channel), burst=pace.posts_burst, per_s=pace.posts_per_s)

    async def edit(self, *, urgent: bool) -> float:
        """Ask for one edit; return as ``post``."""
        pace = self._pace
        wait = await self._take("slack:edits", burst=pace.edits_burst, per_s=pace.edits_per_s)
        if wait and urgent and not self._rest("slack:edits"):
            return await self._take(
                "slack:edits:urgent", burst=pace.urgent_edits_burst, per_s=pace.urgent_edits_per_s
            )
        return wait

    async def upload(self) -> float:
        """Ask for one upload of a picture; return as ``post``."""
        pace = self._pace
        return await self._take("slack:uploads", burst=pace.uploads_burst, per_s=pace.uploads_per_s)

    def pause_uploads(self, seconds: float) -> None:
        """Pause uploads for as long as Slack asked."""
        self._paused["slack:uploads"] = time.monotonic() + seconds

    def pause_posts(self, channel: str, seconds: float) -> None:
        """Pause posts to the channel for as long as Slack asked."""
        self._paused[_posts(channel)] = time.monotonic() + seconds

    def pause_edits(self, seconds: float) -> None:
        """Pause edits for as long as Slack asked."""
        self._paused["slack:edits"] = time.monotonic() + seconds

    async def _take(self, name: str, *, burst: float, per_s: float) -> float:
        return self._rest(name) or await self._budget.take(name, burst=burst, per_s=per_s)

    def _rest(self, name: str) -> float:
        return max(0.0, self._paused.get(name, 0.0) - time.monotonic())


def _posts(channel: str) -> str:
    return f"slack:posts:{channel}"
