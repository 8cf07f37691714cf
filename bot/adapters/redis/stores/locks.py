"""Turns at a service in Redis, held by runs and not by processes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.ports.locks import LockQueue


class RedisLocks:
    """A fair queue: the longest waiting run is next.  No time-out, because a run outlives its worker."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Take one of ``most`` places at ``name``, or one in its queue; return the runs before this one.

        A run that asks to be ``ahead`` goes before all waiting runs that did not.
        """
        shard = self._store.keys.shared
        keys = (shard.held + name, shard.waiting + name, shard.places(run_id))
        return tuple(await self._store.run("lock", keys, run_id, most, name, int(ahead)))

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Release all places that a run holds or waits for; return the runs whose turn it is now."""
        shard = self._store.keys.shared
        keys = (shard.places(run_id),)
        return tuple(await self._store.run("unlock", keys, run_id, shard.held, shard.waiting))

    async def lines(self, names: Sequence[str]) -> tuple[LockQueue, ...]:
        """Return who holds and who waits at each name, all from the same moment."""
        if not names:
            return ()
        shard = self._store.keys.shared
        keys = [key for name in names for key in (shard.held + name, shard.waiting + name)]
        found = await self._store.run("line", keys)
        return tuple(LockQueue(held=tuple(sorted(held)), waiting=tuple(waiting)) for held, waiting in found)
