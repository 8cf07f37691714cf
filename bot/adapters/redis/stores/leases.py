"""Leases in Redis: one key a service, which lapses by itself."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from bot.adapters.leasing import TTL_MS, held
from bot.adapters.redis.store import RedisStore


class RedisLeases:
    """The dead-man switches of all services."""

    def __init__(self, store: RedisStore) -> None:
        """Keep the store."""
        self._store = store

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold the lease of a service's address, renewed all the while; whoever takes it last has it."""
        return held(self, service)

    async def is_held(self, service: str) -> bool:
        """Tell whether somebody holds it now."""
        return bool(await self._say(service, "ask", ""))

    async def take(self, service: str, token: str) -> None:
        """Have the lease, whoever had it."""
        await self._say(service, "take", token)

    async def keep(self, service: str, token: str) -> bool:
        """Renew it; false if somebody else has it by now."""
        return bool(await self._say(service, "keep", token))

    async def drop(self, service: str, token: str) -> None:
        """Give it back; nothing happens if somebody else has it."""
        await self._say(service, "drop", token)

    async def _say(self, service: str, what: str, token: str) -> int:
        key = self._store.keys.shared.lease(service)
        return int(await self._store.run("lease", (key,), what, token, TTL_MS))
