"""The memory twins of the deploy locks and the checklists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.clock import Clock, SystemClock
from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock


class MemoryDeployLocks:
    """Locks of services by people, in this process."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Start with nothing locked; ``clock`` decides what has expired."""
        self._clock = clock or SystemClock()
        self._locks: dict[str, DeployLock] = {}

    async def lock(self, wanted: DeployLock) -> DeployLock:
        """Lock a service, or change one's own lock; return the lock in force, which may be another's."""
        known = self._held(wanted.service)
        if known is not None and known.by.id != wanted.by.id:
            return known
        self._locks[wanted.service] = wanted
        return wanted

    async def unlock(self, service: str, *, owner: str) -> DeployLock | None:
        """Remove and return the lock that ``owner``, a person's id, holds; none if that person holds none."""
        known = self._held(service)
        if known is None or known.by.id != owner:
            return None
        return self._locks.pop(service)

    async def hand_over(self, lock: DeployLock, *, owner: str) -> bool:
        """Replace the lock that ``owner`` holds by ``lock``; return false if that person holds none."""
        known = self._held(lock.service)
        if known is None or known.by.id != owner:
            return False
        self._locks[lock.service] = lock
        return True

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services that have not expired, in the order of asking."""
        locks = (self._held(service) for service in services)
        return tuple(lock for lock in locks if lock is not None)

    def _held(self, service: str) -> DeployLock | None:
        lock = self._locks.get(service)
        return lock if lock is not None and lock.holds(at=self._clock.now()) else None


class MemoryChecklists:
    """Ticks and waivers of the items of each version, in this process."""

    def __init__(self, clock: Clock | None = None, *, retention_s: int = 30 * 86_400) -> None:
        """Start empty; marks expire by ``clock``, ``retention_s`` seconds after the latest."""
        self._clock = clock or SystemClock()
        self._kept = timedelta(seconds=retention_s)
        self._marks: dict[tuple[str, str], dict[tuple[str, str], ItemMark]] = {}
        self._until: dict[tuple[str, str], datetime] = {}

    async def mark(self, service: str, version: str, mark: ItemMark) -> bool:
        """Store a person's mark; false, and nothing stored, if they have a later one on the item."""
        words = self._words(service, version)
        known = words.get((mark.item, mark.by.id))
        if known is not None and known.at > mark.at:
            return False
        words[mark.item, mark.by.id] = mark
        self._marks[service, version] = words
        self._until[service, version] = self._clock.now() + self._kept
        return True

    async def marks(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List each person's latest mark on each item, oldest first."""
        words = self._words(service, version).values()
        return tuple(sorted(words, key=lambda mark: (mark.at, mark.item, mark.by.id)))

    def _words(self, service: str, version: str) -> dict[tuple[str, str], ItemMark]:
        until = self._until.get((service, version))
        return self._marks[service, version] if until is not None and self._clock.now() < until else {}
