"""Messages to one person."""

from __future__ import annotations

from typing import Protocol

from bot.domain.intent import Notice


class Notifier(Protocol):
    """Answers one person alone."""

    async def tell(self, notice: Notice) -> None:
        """Show the notice to its person; a failure is logged, not raised."""
        ...
