"""The bot's own change ledger."""

from __future__ import annotations

from typing import Protocol

from bot.domain.diagnoses.change import Change


class ChangeLedger(Protocol):
    """The bot's own change ledger."""

    async def record(self, change: Change) -> None:
        """Store one change; the same ``id`` twice is stored once."""
        ...

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        """List a service's changes of the last ``seconds``, oldest first."""
        ...
