"""Locks of services by people, in Redis: one key a service, which the server itself lets expire."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.domain.deployments.deploy_lock import DeployLock


class RedisDeployLocks:
    """Whoever dies, a lock ends when it was said to: the server does that."""

    def __init__(self, store: RedisStore) -> None:
        """Keep the store."""
        self._store = store

    async def lock(self, wanted: DeployLock) -> DeployLock:
        """Lock a service, or change one's own lock; gives the lock that holds now, which may be another's."""
        text = await self._store.run("seize", (self._key(wanted.service),), wanted.by.id, *_written(wanted))
        return DeployLock.model_validate_json(text)

    async def unlock(self, service: str, *, owner: str) -> DeployLock | None:
        """Take off the lock that ``owner``, a person's id, holds; none if that person holds none."""
        text = await self._store.run("yield", (self._key(service),), owner)
        return None if text is None else DeployLock.model_validate_json(text)

    async def hand_over(self, lock: DeployLock, *, owner: str) -> bool:
        """Put ``lock`` in the place of the one that ``owner`` holds; false if that person holds none."""
        return await self._store.run("yield", (self._key(lock.service),), owner, *_written(lock)) is not None

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services that have not expired, in the order of asking."""
        if not services:
            return ()
        texts = await self._store.client.mget([self._key(service) for service in services])
        return tuple(DeployLock.model_validate_json(text) for text in texts if text is not None)

    def _key(self, service: str) -> str:
        return self._store.keys.shared.deploy_lock(service)


def _written(lock: DeployLock) -> tuple[str, int]:
    return lock.model_dump_json(), int(lock.until.timestamp() * 1000)
