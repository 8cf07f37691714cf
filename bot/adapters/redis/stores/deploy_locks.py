"""Locks of services by people, in Redis: one key a service, which the server itself lets expire."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.domain.deployments.deploy_lock import KEPT_S, DeployLock, LockChange


class RedisDeployLocks:
    """The locks of all services; the server ends each at its time, even if every worker has died.

    The script that changes a lock also stores the change and marks its topic, so that each is announced.
    """

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def lock(self, wanted: DeployLock, *, change: LockChange | None = None) -> DeployLock:
        """Lock a service, or change one's own lock; return the current lock, perhaps another person's."""
        text = await self._run("seize", wanted.service, (wanted.by.id, *_written(wanted)), change)
        return DeployLock.model_validate_json(text or "")

    async def unlock(
        self, service: str, *, owner: str, change: LockChange | None = None
    ) -> DeployLock | None:
        """Remove the lock that ``owner``, a person's id, holds; return none if that person holds none."""
        text = await self._run("yield", service, (owner, "", ""), change)
        return None if text is None else DeployLock.model_validate_json(text)

    async def hand_over(self, lock: DeployLock, *, owner: str, change: LockChange | None = None) -> bool:
        """Replace the lock that ``owner`` holds with ``lock``; return false if that person holds none."""
        return await self._run("yield", lock.service, (owner, *_written(lock)), change) is not None

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """Return the unexpired locks of these services, in the order given."""
        if not services:
            return ()
        texts = await self._store.client.mget([self._key(service) for service in services])
        return tuple(DeployLock.model_validate_json(text) for text in texts if text is not None)

    async def changes(self, episode: str) -> tuple[LockChange, ...]:
        """Return the changes of one lock, oldest first; none once they are no longer stored."""
        fields = await self._store.hash(self._store.keys.shared.lock_changes(episode))
        found = [LockChange.model_validate_json(text) for text in fields.values()]
        return tuple(sorted(found, key=lambda one: (one.at, one.key)))

    async def _run(
        self, script: str, service: str, arguments: Sequence[str | int], change: LockChange | None
    ) -> str | None:
        shared = self._store.keys.shared
        keys: list[str] = [self._key(service)]
        more: list[str | int] = []
        if change is not None:
            keys += [shared.lock_changes(change.episode), shared.dirty]
            more = [change.key, change.model_dump_json(), KEPT_S, f"lock:{change.episode}"]
        answer: str | None = await self._store.run(script, keys, *arguments, *more)
        self._store.changed.set()
        return answer

    def _key(self, service: str) -> str:
        return self._store.keys.shared.deploy_lock(service)


def _written(lock: DeployLock) -> tuple[str, int]:
    return lock.model_dump_json(), int(lock.until.timestamp() * 1000)
