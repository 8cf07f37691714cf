"""How much of everything is in Redis, read on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import ResponseError

from bot.adapters.redis.lanes import GROUP, Lane, lanes_of
from bot.adapters.redis.store import RedisStore
from bot.domain.clock import Clock

_NO_GROUP: dict[str, Any] = {"pending": 0, "last-delivered-id": "0-0"}
_BUCKETS = ("slack:edits", "slack:edits:urgent")

_SOON_S = 60
"""In seconds; longer than a topic's lease and than any pause before a retry."""


@dataclass(frozen=True, kw_only=True)
class LaneDepth:
    """One kind of work, over all shards; ``oldest_s`` is the age of the oldest untaken message."""

    waiting: int = 0
    handled: int = 0
    oldest_s: float = 0

    def plus(self, other: LaneDepth) -> LaneDepth:
        """Return the sum with another shard's."""
        return LaneDepth(
            waiting=self.waiting + other.waiting,
            handled=self.handled + other.handled,
            oldest_s=max(self.oldest_s, other.oldest_s),
        )


@dataclass(frozen=True, kw_only=True)
class Depths:
    """What is in Redis at one moment."""

    lanes: dict[str, LaneDepth]
    active: int
    """Runs that are ready or running."""
    timed: int
    """Parked runs that wake at a time of their own."""
    kept: int
    """Runs that are stored, ended ones included."""
    dirty: int
    """Topics that are due or being shown; not those that wait for a silence to end."""
    dead: int
    workers: int
    tokens: dict[str, float]
    """What was left in each shared Slack bucket when a worker last asked; a full one is not listed."""


class Gauges:
    """Reads the depths; some thirty commands, whatever the load."""

    def __init__(self, store: RedisStore, clock: Clock) -> None:
        """Read ``store``; ages are by ``clock``, so they are as accurate as this machine's."""
        self._store = store
        self._clock = clock
        self._lanes = lanes_of(store.keys, runs=1, checks=1)

    async def read(self) -> Depths:
        """Read everything; the numbers are of nearly the same moment."""
        client, shards = self._store.client, self._store.keys.all
        now_s = self._clock.now().timestamp()
        soon_ms = int((now_s + _SOON_S) * 1000)
        lanes: dict[str, LaneDepth] = {}
        for lane in self._lanes:
            name = lane.stream.rpartition(":")[2]
            kind = {"in": "intents"}.get(name, name)
            lanes[kind] = lanes.get(kind, LaneDepth()).plus(await self._lane(lane, now_s))
        beats = [set(await self._store.hash(shard.beats)) for shard in shards]
        return Depths(
            lanes=lanes,
            active=sum([int(await cast("Any", client.scard(shard.active))) for shard in shards]),
            timed=sum([int(await client.zcard(shard.due)) for shard in shards]),
            kept=sum([int(await client.zcard(shard.index)) for shard in shards]),
            dirty=sum([int(await client.zcount(shard.dirty, "-inf", soon_ms)) for shard in shards]),
            dead=sum([int(await client.xlen(shard.dead)) for shard in shards]),
            workers=len(set().union(*beats)),
            tokens=await self._tokens(),
        )

    async def _lane(self, lane: Lane, now_s: float) -> LaneDepth:
        client = self._store.client
        try:
            groups: list[dict[str, Any]] = await client.xinfo_groups(lane.stream)
        except ResponseError:  # no worker has ever been here
            groups = []
        group = next((g for g in groups if g["name"] == GROUP), _NO_GROUP)
        handled = int(group["pending"])
        waiting = max(0, int(cast("Any", await client.xlen(lane.stream))) - handled)
        first = await client.xrange(lane.stream, f"({group['last-delivered-id']}", "+", count=1)
        found = cast("list[tuple[str, dict[str, str]]]", first or [])
        since_s = int(found[0][0].partition("-")[0]) / 1000 if found else now_s
        return LaneDepth(waiting=waiting, handled=handled, oldest_s=max(0.0, now_s - since_s))

    async def _tokens(self) -> dict[str, float]:
        shard, left = self._store.keys.shared, {}
        for name in _BUCKETS:
            text = await self._store.field(shard.bucket(name), "tokens")
            if text is not None:
                left[name.removeprefix("slack:").replace(":", "_")] = float(text)
        return left
