"""The streams that workers read, and how many messages of each a worker handles at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.adapters.redis.keys import LANES, Keys, Shard

GROUP = "workers"
"""The consumer group of all workers."""


class LaneCapacity:
    """How many of a kind this worker handles at a time."""

    def __init__(self, total: int) -> None:
        """Begin with ``total`` free."""
        self.free = total
        self._changed = asyncio.Event()

    async def some(self) -> int:
        """Wait until at least one is free; return how many are."""
        while self.free <= 0:
            self._changed.clear()
            await self._changed.wait()
        return self.free

    def take(self) -> None:
        """Use one, even if none is free: work that was taken over is not refused."""
        self.free -= 1

    def give_back(self) -> None:
        """Free one."""
        self.free += 1
        self._changed.set()


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stream; lanes with the same slots share them."""

    shard: Shard
    stream: str
    slots: LaneCapacity


def lanes_of(keys: Keys, *, runs: int, checks: int) -> tuple[Lane, ...]:
    """Return every lane: for each shard its urgent and its other runs, and once the intents and the checks.

    ``runs`` and ``checks`` are how many of a kind this worker handles at a time.  Intents and urgent runs
    have slots of their own: a click, a triage or a rollback never waits for reports or monitors to end.
    """
    shared, slots = keys.shared, {lane: LaneCapacity(runs) for lane in LANES}
    return (
        Lane(shard=shared, stream=shared.inbox, slots=LaneCapacity(runs)),
        *(Lane(shard=s, stream=s.queue(lane), slots=slots[lane]) for s in keys.all for lane in LANES),
        Lane(shard=shared, stream=shared.checks, slots=LaneCapacity(checks)),
    )
