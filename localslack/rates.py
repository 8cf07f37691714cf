"""Slack's rate tiers."""

from __future__ import annotations

import math
from collections import deque

from localslack.clock import WorkspaceClock
from localslack.errors import RateLimitedError

WINDOW_S = 60.0
POSTS_PER_S = 1.0
POST_BURST = 5

TIER_2, TIER_3, TIER_4, SPECIAL = 20, 50, 100, 600
"""Calls a minute. Slack promises *at least* these; here they are exact, so that a test can rely on them."""

PER_MINUTE = {
    "api.test": SPECIAL,
    "apps.connections.open": TIER_3,
    "auth.test": SPECIAL,
    "bookmarks.add": TIER_2,
    "bots.info": TIER_3,
    "chat.delete": TIER_3,
    "chat.getPermalink": SPECIAL,
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.archive": TIER_2,
    "conversations.create": TIER_2,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.invite": TIER_3,
    "conversations.join": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.setTopic": TIER_2,
    "files.completeUploadExternal": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "pins.add": TIER_2,
    "pins.remove": TIER_2,
    "reactions.add": TIER_3,
    "reactions.get": TIER_3,
    "reactions.remove": TIER_2,
    "team.info": TIER_3,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}


class Rates:
    """Counts calls per app and method over a sliding minute, and posts per app and channel."""

    def __init__(self, clock: WorkspaceClock, *, enabled: bool) -> None:
        self._clock = clock
        self.enabled = enabled
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def check(self, app: str, method: str) -> None:
        """Count one call.

        Raises:
            RateLimitedError: the minute is full; a refused call is not counted.
        """
        limit = PER_MINUTE.get(method)
        if not self.enabled or limit is None:
            return
        now = self._clock.monotonic()
        calls = self._calls.setdefault((app, method), deque())
        while calls and calls[0] <= now - WINDOW_S:
            calls.popleft()
        if len(calls) >= limit:
            raise RateLimitedError(max(1, math.ceil(calls[0] + WINDOW_S - now)))
        calls.append(now)

    def check_post(self, app: str, channel: str) -> None:
        """Count one message to a channel: one a second, five at once after a pause.

        Raises:
            RateLimitedError: too soon; a refused post is not counted.
        """
        if not self.enabled:
            return
        now = self._clock.monotonic()
        tokens, at = self._buckets.get((app, channel), (float(POST_BURST), now))
        tokens = min(POST_BURST, tokens + (now - at) * POSTS_PER_S)
        if tokens < 1:
            self._buckets[app, channel] = (tokens, now)
            raise RateLimitedError(max(1, math.ceil((1 - tokens) / POSTS_PER_S)))
        self._buckets[app, channel] = (tokens - 1, now)

    def forget(self) -> None:
        """Start counting afresh."""
        self._calls.clear()
        self._buckets.clear()
