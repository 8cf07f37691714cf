"""Queues that carry ready runs, intents and checks to workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.intent import Intent


@dataclass(frozen=True, kw_only=True)
class WorkHandlers:
    """What a worker does with each kind of work; one that fails is called again with the same."""

    run: Callable[[str], Awaitable[None]]
    """Advance the run of this id."""
    intent: Callable[[Intent], Awaitable[None]]
    """Carry an intent out."""
    check: Callable[[str, float], Awaitable[None]]
    """Look at a monitor, by id, for the slot that began at so many seconds since the epoch."""
    give_up: Callable[[str, str], Awaitable[None]]
    """End the run of this id, which failed too often, and say why."""


class Work(Protocol):
    """What carries ready runs, intents and checks to workers."""

    async def serve(self, handlers: WorkHandlers) -> None:
        """Hand out work until cancelled; what a handler does not finish is delivered again."""
        ...

    async def reconcile(self) -> int:
        """Hand out again every run under way that no message stands for; gives how many."""
        ...

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; gives how many."""
        ...

    async def depth(self) -> int:
        """Tell how much is waiting."""
        ...
