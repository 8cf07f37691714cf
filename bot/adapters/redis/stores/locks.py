"""Places at a service, held by runs and not by processes, in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.ports.locks import LockQueue


class RedisLocks:
    """Fair: whoever waited longest is next; no time-out to race with, for a run outlives its worker."""

    def __init__(self, store: RedisStore) -> None:
        """Keep the store."""
        self._store = store

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Take one of ``most`` places at ``name``, or one in its queue; gives the runs before this one.

        Who asks to be ``ahead`` goes before all who wait and did not.
        """
        shard = self._store.keys.shared
        keys = (shard.held + name, shard.waiting + name, shard.places(run_id))
        return tuple(await self._store.run("lock", keys, run_id, most, name, int(ahead)))

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Give back all that a run holds or waits for; gives the runs whose turn it is now."""
        shard = self._store.keys.shared
        keys = (shard.places(run_id),)
        return tuple(await self._store.run("unlock", keys, run_id, shard.held, shard.waiting))

    async def lines(self, names: Sequence[str]) -> tuple[LockQueue, ...]:
        """Tell who holds and who waits at each name, all at one moment."""
        if not names:
            return ()
        shard = self._store.keys.shared
        keys = [key for name in names for key in (shard.held + name, shard.waiting + name)]
        found = await self._store.run("line", keys)
        return tuple(LockQueue(held=tuple(sorted(held)), waiting=tuple(waiting)) for held, waiting in found)
