"""Where intents are written before anything is answered."""

from __future__ import annotations

from typing import Protocol

from bot.domain.intent import Intent


class Inbox(Protocol):
    """Where intents are written before anything is answered."""

    async def put(self, intent: Intent) -> bool:
        """Write an intent down; false if its key was seen before.

        Raises:
            BusyError: so much is waiting that a new run would be late; nothing was written.
        """
        ...
