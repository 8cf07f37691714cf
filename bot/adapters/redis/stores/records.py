"""The change ledger and shared budgets in Redis."""

from __future__ import annotations

from bot.adapters.redis.store import RedisStore
from bot.domain.clock import Clock
from bot.domain.diagnoses.change import Change

_MOST_CHANGES = 5_000


class RedisChangeLedger:
    """The bot's own change ledger: one sorted set a service, by time."""

    def __init__(self, store: RedisStore, clock: Clock, *, retention_s: int = 30 * 86_400) -> None:
        """Read and write through ``store``; "recent" is by ``clock``."""
        self._store = store
        self._clock = clock
        self._retention_s = retention_s

    async def record(self, change: Change) -> None:
        """Store one change; storing it again does nothing."""
        key = self._store.keys.shared.changes + change.service
        text, at_s = change.model_dump_json(), change.at.timestamp()
        await self._store.run("enter", (key,), text, at_s, _MOST_CHANGES, self._retention_s)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        """Return a service's changes of the last ``seconds``, oldest first."""
        oldest = self._clock.now().timestamp() - seconds
        texts = await self._store.client.zrangebyscore(
            self._store.keys.shared.changes + service, oldest, "+inf"
        )
        kept = {change.id: change for change in (Change.model_validate_json(str(text)) for text in texts)}
        return tuple(kept.values())


class RedisBudget:
    """Token buckets shared by all workers."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def take(self, name: str, *, burst: float, per_s: float) -> float:
        """Take one of ``name``; return 0 if it was granted, else the seconds after which to ask again."""
        wait_ms = await self._store.run("budget", (self._store.keys.shared.bucket(name),), burst, per_s)
        return float(wait_ms) / 1000
