"""Dead-man switches of rollouts."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Leases(Protocol):
    """Dead-man switches: a candidate has traffic only while its service's lease is held.

    A lease expires automatically within a second of its holder's end, however it ended.
    """

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold and renew the lease of a service's address; the latest holder replaces any other."""
        ...

    async def is_held(self, service: str) -> bool:
        """Return whether the lease is held now."""
        ...
