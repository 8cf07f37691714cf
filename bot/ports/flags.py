"""The port for feature flags, and the provider that answers from it."""

from __future__ import annotations

from typing import Protocol

from bot.domain.deployments.flag import Flag


class FlagStore(Protocol):
    """The flags of all services, by the service's address and the flag's key."""

    async def find(self, service: str, key: str) -> Flag | None:
        """Return a flag; none if it was never set.

        Raises:
            ProbeUnavailableError: it cannot be read.
        """
        ...

    async def put(self, service: str, flag: Flag, *, run_id: str, epoch: int) -> None:
        """Set a flag.

        Raises:
            StaleEpochError: a newer owner of this run has set flags; nothing was written.
            ActionInDoubtError: the store did not answer.
        """
        ...
