"""Queues that carry ready runs, intents and checks to workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.intent import Intent


@dataclass(frozen=True, kw_only=True)
class WorkHandlers:
    """A worker's handler for each kind of work; one that fails is called again with the same work."""

    run: Callable[[str], Awaitable[None]]
    """Advance the run of this id."""
    intent: Callable[[Intent], Awaitable[None]]
    """Carry an intent out."""
    check: Callable[[str, float], Awaitable[None]]
    """Check a monitor, by id, for the slot that began at this time, in seconds since the epoch."""
    give_up: Callable[[str, str], Awaitable[None]]
    """End the run of this id, which failed too often, with this reason."""


class Work(Protocol):
    """Carries ready runs, intents and checks to workers."""

    async def serve(self, handlers: WorkHandlers) -> None:
        """Hand out work until cancelled; what a handler does not finish is delivered again."""
        ...

    async def reconcile(self) -> int:
        """Hand out again every unfinished run that has no message; return how many."""
        ...

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; return how many."""
        ...

    async def depth(self) -> int:
        """Return how much work is waiting."""
        ...
