"""Locks of services, held by runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class LockQueue:
    """The runs that hold a lock, and those that wait for it, in order."""

    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Locks(Protocol):
    """Locks of services; held by runs, which outlive the workers that own them."""

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Acquire one of ``most`` places at ``name``, or queue for it; return the runs ahead of this one.

        An empty answer means that it holds a place.  Asking again changes nothing, except that a run that
        asks to be ``ahead`` moves before all waiting runs that did not.
        """
        ...

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Release all that a run holds or waits for; return the runs that are next."""
        ...

    async def lines(self, names: Sequence[str]) -> tuple[LockQueue, ...]:
        """Return the holders and the queue of each name, all at one moment."""
        ...
