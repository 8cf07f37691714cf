"""Packs idle runs after a while, and removes them after the retention."""

from __future__ import annotations

from datetime import datetime

from bot.adapters.redis.keys import Shard
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.journal_codec import packed, texts_of

_AT_ONCE = 500


class RunArchive:
    """Packs parked and finished runs to save memory.  Any number of clocks may do this at the same time."""

    def __init__(self, store: RedisStore, *, retention_s: float, pack_after_s: float = 60) -> None:
        """Pack a run ``pack_after_s`` seconds after its last work, since it may soon continue."""
        self._store = store
        self._retention_s = retention_s
        self._pack_after_s = pack_after_s

    async def pack(self, *, now: datetime) -> int:
        """Pack up to a few hundred idle runs; return how many.  They can be read as before."""
        before_ms = int((now.timestamp() - self._pack_after_s) * 1000)
        done = 0
        for shard in self._store.keys.all:
            ids = await self._store.client.zrangebyscore(shard.idle, "-inf", before_ms, 0, _AT_ONCE)
            for run_id in ids:
                done += await self._pack(shard, str(run_id))
        return done

    async def forget(self, *, now: datetime) -> int:
        """Remove the index entries of runs that have expired; return how many."""
        oldest_ms = (now.timestamp() - self._retention_s) * 1000
        removed = 0
        for shard in self._store.keys.all:
            ids = await self._store.client.zrangebyscore(shard.index, "-inf", oldest_ms, 0, _AT_ONCE)
            for run_id in map(str, ids):
                if not await self._store.client.exists(shard.run(run_id)):
                    removed += await self._store.client.zrem(shard.index, run_id)
        return removed

    async def _pack(self, shard: Shard, run_id: str) -> int:
        fields = await self._store.hash(shard.run(run_id))
        text = packed(texts_of(fields)) if any(name.startswith("e:") for name in fields) else ""
        keys = (shard.run(run_id), shard.idle)
        return int(await self._store.run("pack", keys, run_id, fields.get("n", ""), text))
