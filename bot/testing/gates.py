"""The memory twins of the deploy locks and the checklists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.board import Topic
from bot.domain.clock import Clock, SystemClock
from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock, LockChange
from bot.ports.board import MessageBoard


class MemoryDeployLocks:
    """Locks of services by people, in this process."""

    def __init__(self, clock: Clock | None = None, *, board: MessageBoard | None = None) -> None:
        """Start with nothing locked; ``clock`` decides what has expired, changes are marked on ``board``."""
        self._clock = clock or SystemClock()
        self._board = board
        self._locks: dict[str, DeployLock] = {}
        self._changes: dict[str, dict[str, LockChange]] = {}

    async def lock(self, wanted: DeployLock, *, change: LockChange | None = None) -> DeployLock:
        """Lock a service, or change one's own lock; return the lock in force, which may be another's."""
        known = self._held(wanted.service)
        if known is not None and known.by.id != wanted.by.id:
            return known
        self._locks[wanted.service] = wanted
        await self._keep(change)
        return wanted

    async def unlock(
        self, service: str, *, owner: str, change: LockChange | None = None
    ) -> DeployLock | None:
        """Remove and return the lock that ``owner``, a person's id, holds; none if that person holds none."""
        known = self._held(service)
        if known is None or known.by.id != owner:
            return None
        await self._keep(change)
        return self._locks.pop(service)

    async def hand_over(self, lock: DeployLock, *, owner: str, change: LockChange | None = None) -> bool:
        """Replace the lock that ``owner`` holds by ``lock``; return false if that person holds none."""
        known = self._held(lock.service)
        if known is None or known.by.id != owner:
            return False
        self._locks[lock.service] = lock
        await self._keep(change)
        return True

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services that have not expired, in the order of asking."""
        locks = (self._held(service) for service in services)
        return tuple(lock for lock in locks if lock is not None)

    async def changes(self, episode: str) -> tuple[LockChange, ...]:
        """List the changes of one lock, oldest first."""
        found = self._changes.get(episode, {}).values()
        return tuple(sorted(found, key=lambda one: (one.at, one.key)))

    async def _keep(self, change: LockChange | None) -> None:
        if change is None:
            return
        self._changes.setdefault(change.episode, {})[change.key] = change
        if self._board is not None:
            await self._board.mark(Topic(kind="lock", id=change.episode))

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
