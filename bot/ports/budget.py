"""Allowances that all workers share."""

from __future__ import annotations

from typing import Protocol


class Budget(Protocol):
    """Shared allowances, so that all workers together stay within a limit."""

    async def take(self, name: str, *, burst: float, per_s: float) -> float:
        """Take one of ``name``; return 0 if it was granted, else the seconds after which to ask again."""
        ...
