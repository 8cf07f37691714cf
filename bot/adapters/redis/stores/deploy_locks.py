"""Locks of services by people, in Redis: one key a service, which the server itself lets expire."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.domain.deployments.deploy_lock import DeployLock


class RedisDeployLocks:
    """The locks of all services; the server ends each at its time, even if every worker has died."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def lock(self, wanted: DeployLock) -> DeployLock:
        """Lock a service, or change one's own lock; return the current lock, perhaps another person's."""
        text = await self._store.run("seize", (self._key(wanted.service),), wanted.by.id, *_written(wanted))
        return DeployLock.model_validate_json(text)

    async def unlock(self, service: str, *, owner: str) -> DeployLock | None:
        """Remove the lock that ``owner``, a person's id, holds; return none if that person holds none."""
        text = await self._store.run("yield", (self._key(service),), owner)
        return None if text is None else DeployLock.model_validate_json(text)

    async def hand_over(self, lock: DeployLock, *, owner: str) -> bool:
        """Replace the lock that ``owner`` holds with ``lock``; return false if that person holds none."""
        return await self._store.run("yield", (self._key(lock.service),), owner, *_written(lock)) is not None

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """Return the unexpired locks of these services, in the order given."""
        if not services:
            return ()
        texts = await self._store.client.mget([self._key(service) for service in services])
        return tuple(DeployLock.model_validate_json(text) for text in texts if text is not None)

    def _key(self, service: str) -> str:
        return self._store.keys.shared.deploy_lock(service)


def _written(lock: DeployLock) -> tuple[str, int]:
    return lock.model_dump_json(), int(lock.until.timestamp() * 1000)
