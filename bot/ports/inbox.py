"""Where intents are written before anything is answered."""

from __future__ import annotations

from typing import Protocol

from bot.domain.intent import Intent


class Inbox(Protocol):
    """Where intents are written before anything is answered."""

    async def put(self, intent: Intent) -> bool:
        """Store an intent; return false if its key was seen before.

        Raises:
            BusyError: the backlog would make a new run late; nothing was written.
        """
        ...
