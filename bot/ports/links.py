"""Addresses in the chat, for buttons that open what they are about."""

from __future__ import annotations

from typing import Protocol

from bot.domain.board import Topic


class Links(Protocol):
    """Addresses of messages and threads."""

    async def message_of(self, topic: Topic) -> str:
        """Return the address of a topic's first message; empty if it is not posted, or not known now."""
        ...

    async def thread_of(self, run_id: str) -> str:
        """Return the address of a run's first message; empty if it is not posted, or not known now."""
        ...
