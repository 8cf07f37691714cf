"""Leases in Redis: one key a service, which expires."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from bot.adapters.leasing import TTL_MS, held
from bot.adapters.redis.store import RedisStore


class RedisLeases:
    """The dead-man switches of all services."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold the lease of a service's address and renew it; the last to take it has it."""
        return held(self, service)

    async def is_held(self, service: str) -> bool:
        """Return whether the lease is held now."""
        return bool(await self._say(service, "ask", ""))

    async def take(self, service: str, token: str) -> None:
        """Take the lease, even from another holder."""
        await self._say(service, "take", token)

    async def keep(self, service: str, token: str) -> bool:
        """Renew the lease; return false if it now has another holder."""
        return bool(await self._say(service, "keep", token))

    async def drop(self, service: str, token: str) -> None:
        """Release the lease; do nothing if it has another holder."""
        await self._say(service, "drop", token)

    async def _say(self, service: str, what: str, token: str) -> int:
        key = self._store.keys.shared.lease(service)
        return int(await self._store.run("lease", (key,), what, token, TTL_MS))
