"""What was posted about each topic."""

from __future__ import annotations

from typing import Protocol

from bot.domain.board import Hold, PostedMessage, Topic


class MessageBoard(Protocol):
    """What was posted about each topic, and which topics need an update."""

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Hold, ...]:
        """Claim and return topics that changed; no other worker gets them for ``lease_s`` seconds."""
        ...

    async def release(self, hold: Hold, *, again_in_s: float | None = None) -> None:
        """Release a topic; it stays marked if it changed meanwhile, or is due in ``again_in_s`` seconds.

        Nothing happens when the topic has been claimed again since.
        """
        ...

    async def mark(self, topic: Topic) -> None:
        """Mark a topic as changed."""
        ...

    async def posted(self, topic: Topic) -> dict[str, PostedMessage]:
        """Return the posted messages, by slot."""
        ...

    async def record(self, hold: Hold, slot: str, posted: PostedMessage) -> None:
        """Record a posted message, or, without a ``ts``, that a post begins.

        Raises:
            HoldLostError: this claim on the topic has expired; nothing was written.
        """
        ...

    async def wait(self, *, timeout_s: float) -> None:
        """Sleep until a topic of this process changed, or ``timeout_s`` seconds."""
        ...
