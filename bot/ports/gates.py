"""What gates read: locks by people, checklists and open incidents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock, LockChange
from bot.domain.deployments.open_incident import OpenIncident
from bot.domain.people import Person


class DeployLockStore(Protocol):
    """Locks of services by people; each expires automatically, even if every worker died."""

    async def lock(self, wanted: DeployLock, *, change: LockChange | None = None) -> DeployLock:
        """Lock a service, or change one's own lock; return the lock in force, which may be another's.

        If the lock changed, here and below, ``change`` is stored with it and its topic is marked.
        """
        ...

    async def unlock(
        self, service: str, *, owner: str, change: LockChange | None = None
    ) -> DeployLock | None:
        """Remove and return the lock that ``owner``, a person's id, holds; none if that person holds none."""
        ...

    async def changes(self, episode: str) -> tuple[LockChange, ...]:
        """List the changes of one lock, oldest first; none once they are no longer stored."""
        ...

    async def hand_over(self, lock: DeployLock, *, owner: str, change: LockChange | None = None) -> bool:
        """Replace the lock that ``owner`` holds by ``lock``; return false if that person holds none."""
        ...

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services that have not expired, in the order of asking."""
        ...


class ChecklistStore(Protocol):
    """Ticks and waivers of the items of each version; they expire a while after the latest."""

    async def mark(self, service: str, version: str, mark: ItemMark) -> bool:
        """Store a person's mark; false, and nothing stored, if they have a later one on the item."""
        ...

    async def marks(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List each person's latest mark on each item, oldest first."""
        ...


class Gatekeeper(Protocol):
    """What the gates may read of the bot itself."""

    async def lock_of(self, service: str) -> DeployLock | None:
        """Return the lock that a person holds on a service; none if it is not locked."""
        ...

    async def troubles(self, services: Collection[str]) -> tuple[OpenIncident, ...]:
        """List the open incidents at these services, oldest first.

        Raises:
            ProbeUnavailableError: there may be more than can be read; that does not mean none.
        """
        ...

    async def marks_of(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List the ticks and waivers on the checklist of a version, oldest first."""
        ...

    async def requester_of(self, run_id: str) -> Person | None:
        """Return who asked for a run; none if the run is unknown."""
        ...
