"""Which workers are alive, by their moving counters, and what the others left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from typing import cast

from redis.exceptions import ResponseError

from bot.adapters.redis.keys import Shard
from bot.adapters.redis.lanes import GROUP, Lane
from bot.adapters.redis.store import RedisStore

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 100
_GONE = "gone"
"""Replaces a worker's counter when it ended and could not hand everything over."""

Left = tuple[Lane, str, dict[str, str], int]
"""A lane, a message's id, its fields, and how many workers had it before."""


class Liveness:
    """The heartbeats in one shard, watched on this worker's own monotonic clock: no other clock counts."""

    def __init__(
        self, store: RedisStore, *, shard: Shard, lanes: Sequence[Lane], consumer: str, lease_s: float
    ) -> None:
        """Watch ``shard``; a worker whose counter has not moved for ``lease_s`` seconds is gone."""
        self._store = store
        self._shard = shard
        self._lanes = lanes
        self._consumer = consumer
        self._lease_s = lease_s
        self._seen: dict[str, tuple[str, float]] = {}
        self._looked = 0.0
        self._watched_s = 0.0
        self._unexplained: set[str] = set()

    async def beat(self) -> None:
        """Record that this worker is alive."""
        await self._store.client.hincrby(self._shard.beats, self._consumer, 1)

    async def leave(self) -> None:
        """Record that this worker ends, so that others need not wait for its lease."""
        left = [await self._store.run("leave", (x.stream,), GROUP, self._consumer) for x in self._lanes]
        if any(left):
            await self._store.client.hset(self._shard.beats, self._consumer, _GONE)
        else:
            await self._store.client.hdel(self._shard.beats, self._consumer)

    async def left_behind(self, handled: Collection[str]) -> list[Left]:
        """Claim what gone workers did not finish; ``handled`` is what this worker is handling.

        A message that was delivered to this worker but never seen, because the answer was lost, is also
        claimed, once it was missed twice.
        """
        left: list[Left] = []
        for gone in await self._gone():
            mine = [message for lane in self._lanes for message in await self._inherit(lane, gone)]
            left += mine
            if not mine:
                await self._store.client.hdel(self._shard.beats, gone)
                self._seen.pop(gone, None)
        return left + await self._unseen(handled)

    async def _unseen(self, handled: Collection[str]) -> list[Left]:
        missed: dict[str, Lane] = {}
        for lane in self._lanes:
            rows = await self._store.client.xpending_range(
                lane.stream, GROUP, "-", "+", _MOST_AT_ONCE, self._consumer
            )
            missed |= {str(r["message_id"]): lane for r in rows if r["message_id"] not in handled}
        again = set(missed) & self._unexplained
        self._unexplained = set(missed) - again
        return [left for message_id in again for left in await self._read(missed[message_id], message_id)]

    async def _read(self, lane: Lane, message_id: str) -> list[Left]:
        rows = await self._store.client.xrange(lane.stream, message_id, message_id)
        found = cast("list[tuple[str, dict[str, str]]]", rows or [])
        return [(lane, message_id, fields, 0) for _, fields in found]

    async def _gone(self) -> list[str]:
        """Return the workers whose counter has not moved for a lease, including those that never beat."""
        beats = await self._store.hash(self._shard.beats)
        names = set(beats)
        for lane in self._lanes:
            names |= await self._consumers(lane)
        now = self._watched()
        gone: list[str] = []
        for name in names - {self._consumer}:
            count = beats.get(name, "")
            known, since = self._seen.get(name, ("never looked", now))
            if known != count:
                self._seen[name] = (count, now)
            elif now - since >= self._lease_s:
                gone.append(name)
            if count == _GONE and name not in gone:
                gone.append(name)
        return gone

    def _watched(self) -> float:
        """Return for how many seconds this worker has watched the others until now.

        The time between two looks counts for half a lease at most.  While the store was out of reach no
        worker could beat, so a missing beat does not mean a dead worker; and a worker that looks seldom,
        because its machine is busy, still finds out that another one is gone.
        """
        now = time.monotonic()
        self._watched_s += min(now - self._looked, self._lease_s / 2)
        self._looked = now
        return self._watched_s

    async def _consumers(self, lane: Lane) -> set[str]:
        try:
            return {row["name"] for row in await self._store.client.xinfo_consumers(lane.stream, GROUP)}
        except ResponseError as error:
            if "no such key" in str(error).lower():
                raise ResponseError(f"NOGROUP {lane.stream} is gone") from error
            raise

    async def _inherit(self, lane: Lane, gone: str) -> list[Left]:
        claimed = await self._store.run("inherit", (lane.stream,), GROUP, gone, self._consumer, _MOST_AT_ONCE)
        found: list[Left] = []
        for message_id, flat, deliveries in claimed:
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            log.warning(
                "work_taken_over", extra={"from": gone, "stream": lane.stream, "deliveries": deliveries}
            )
            found.append((lane, message_id, fields, int(deliveries)))
        return found
