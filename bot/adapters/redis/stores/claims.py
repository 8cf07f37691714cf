"""Claims of runs in Redis: one key a name, set by a script, so that of two only one is first."""

from __future__ import annotations

from bot.adapters.redis.store import RedisStore
from bot.ports.claims import Claim


class RedisRunClaims:
    """Which run has a name."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def claim(
        self, name: str, *, holder: str, instead_of: str = "", lasts_s: float | None = None
    ) -> Claim:
        """Claim a name; return who has it: ``holder``, or another that was first."""
        lasts_ms = 0 if lasts_s is None else max(1, round(lasts_s * 1000))
        keys = (self._store.keys.shared.claim(name),)
        found, settled = await self._store.run("first", keys, holder, instead_of, lasts_ms)
        return Claim(holder=str(found), settled=bool(int(settled)))

    async def holder(self, name: str) -> str:
        """Return who has a name; empty if it is free."""
        return str(await self._store.client.get(self._store.keys.shared.claim(name)) or "")

    async def settle(self, name: str, *, holder: str) -> bool:
        """Store a claim for good; return false if another has the name by now."""
        keys = (self._store.keys.shared.claim(name),)
        return bool(await self._store.run("settle", keys, holder))
