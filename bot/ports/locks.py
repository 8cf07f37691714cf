"""Locks of services, held by runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class LockQueue:
    """Who holds a place at something, and who waits for one, in the order of their turns."""

    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Locks(Protocol):
    """Places at a service; held by runs, which outlive the workers that carry them."""

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Take one of ``most`` places at ``name``, or one in its queue; gives the runs before this one.

        None before it means that it holds a place.  Asking again changes nothing, but that who asks to be
        ``ahead`` goes before all who wait and did not.
        """
        ...

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Give back all that a run holds or waits for; gives the runs whose turn it is now."""
        ...

    async def lines(self, names: Sequence[str]) -> tuple[LockQueue, ...]:
        """Tell who holds and who waits at each name, all at one moment."""
        ...
