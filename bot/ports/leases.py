"""Dead-man switches of rollouts."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Leases(Protocol):
    """Dead-man switches: a candidate has traffic only while somebody holds its service's lease.

    A lease lapses by itself within a second when its holder is gone, however it went.
    """

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold the lease of a service's address, renewed all the while; whoever takes it last has it."""
        ...

    async def is_held(self, service: str) -> bool:
        """Tell whether somebody holds it now."""
        ...
