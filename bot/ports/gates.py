"""What gates read: locks by people, checklists and open incidents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.deployments.open_incident import OpenIncident
from bot.domain.people import Person


class DeployLockStore(Protocol):
    """Locks of services by people; each ends by itself, whoever has died."""

    async def lock(self, wanted: DeployLock) -> DeployLock:
        """Lock a service, or change one's own lock; gives the lock that holds now, which may be another's."""
        ...

    async def unlock(self, service: str, *, owner: str) -> DeployLock | None:
        """Take off the lock that ``owner``, a person's id, holds; none if that person holds none."""
        ...

    async def hand_over(self, lock: DeployLock, *, owner: str) -> bool:
        """Put ``lock`` in the place of the one that ``owner`` holds; false if that person holds none."""
        ...

    async def held(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services that have not expired, in the order of asking."""
        ...


class ChecklistStore(Protocol):
    """What people said of the items of each version; forgotten a while after the last word."""

    async def mark(self, service: str, version: str, mark: ItemMark) -> bool:
        """Keep a person's word; false, and nothing kept, if a later one of theirs on that item is there."""
        ...

    async def marks(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List everybody's latest word on each item, oldest first."""
        ...


class Gatekeeper(Protocol):
    """All that the gates may ask of the bot itself."""

    async def lock_of(self, service: str) -> DeployLock | None:
        """Tell who has locked a service."""
        ...

    async def troubles(self, services: Collection[str]) -> tuple[OpenIncident, ...]:
        """List the open incidents at these services, oldest first.

        Raises:
            ProbeUnavailableError: there may be more than can be seen; that is not peace.
        """
        ...

    async def marks_of(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List what people said of the checklist of a version, oldest first."""
        ...

    async def requester_of(self, run_id: str) -> Person | None:
        """Tell who asked for a run; none if there is no such run."""
        ...
