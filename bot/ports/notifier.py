"""Messages to one person."""

from __future__ import annotations

from typing import Protocol

from bot.domain.intent import Notice


class Notifier(Protocol):
    """Sends messages to one person alone."""

    async def notify(self, notice: Notice) -> None:
        """Show the notice to its person; a failure is logged, not raised."""
        ...
