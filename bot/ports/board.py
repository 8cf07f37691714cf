"""What was posted about each topic."""

from __future__ import annotations

from typing import Protocol

from bot.domain.board import Hold, PostedMessage, Topic


class MessageBoard(Protocol):
    """What was posted about each topic, and which topics want another look."""

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Hold, ...]:
        """Take topics that changed; nobody else gets them for ``lease_s`` seconds."""
        ...

    async def release(self, hold: Hold, *, again_in_s: float | None = None) -> None:
        """Give a topic back; it stays marked if it changed meanwhile, or is looked at again after a while.

        Nothing happens when the topic has been claimed anew since.
        """
        ...

    async def mark(self, topic: Topic) -> None:
        """Say that a topic changed."""
        ...

    async def posted(self, topic: Topic) -> dict[str, PostedMessage]:
        """Read what is known to be posted, by slot."""
        ...

    async def record(self, hold: Hold, slot: str, posted: PostedMessage) -> None:
        """Write down what is posted, or, without a ``ts``, that a post begins.

        Raises:
            HoldLostError: the lease of this hold has ended; nothing was written.
        """
        ...

    async def wait(self, *, timeout_s: float) -> None:
        """Sleep until a topic of this process changed, or ``timeout_s`` seconds."""
        ...
