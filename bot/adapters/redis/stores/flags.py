"""Flags in Redis: one hash a service, written under the fencing token of the run."""

from __future__ import annotations

from redis.exceptions import RedisError

from bot.adapters.redis.store import RedisStore
from bot.domain.deployments.flag import Flag
from bot.domain.errors import ActionInDoubtError, ProbeUnavailableError, StaleEpochError

_FENCE_S = 7 * 86_400
"""In seconds; no worker is paused for longer and then resumes."""


class RedisFlags:
    """The flags of all services."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def find(self, service: str, key: str) -> Flag | None:
        """Return a flag; none if it was never set."""
        try:
            text = await self._store.field(self._store.keys.shared.flags(service), key)
        except (RedisError, OSError) as error:
            raise ProbeUnavailableError(
                "The flags cannot be read right now.", hint="Check that Redis is up."
            ) from error
        return Flag.model_validate_json(text) if text else None

    async def put(self, service: str, flag: Flag, *, run_id: str, epoch: int) -> None:
        """Set a flag."""
        shard = self._store.keys.shared
        keys = (shard.flags(service), shard.flag_fence(run_id))
        try:
            told = await self._store.run("flag", keys, flag.key, flag.model_dump_json(), epoch, _FENCE_S)
        except (RedisError, OSError) as error:
            raise ActionInDoubtError(
                f"The flag {flag.key} was sent, but the store did not answer, so it may or may not be set."
            ) from error
        if told == "stale":
            raise StaleEpochError(f"A newer owner of this run has set flags, so {flag.key} was not changed.")
