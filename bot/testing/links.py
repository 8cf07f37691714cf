"""The memory twin of the addresses in the chat."""

from __future__ import annotations

from bot.domain.board import Topic


class MemoryLinks:
    """Addresses that are given to it."""

    def __init__(self, **known: str) -> None:
        """Know the addresses of these runs and alerts, by id."""
        self.known = known

    async def thread_of(self, run_id: str) -> str:
        """Return the address of a run's first message; empty if none was given."""
        return self.known.get(run_id, "")

    async def message_of(self, topic: Topic) -> str:
        """Return the address of a topic's first message; empty if none was given."""
        return self.known.get(topic.id, "")
