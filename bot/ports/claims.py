"""Claims of runs: one run at a time for a name, such as the triage of a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who has a name."""

    holder: str
    settled: bool
    """False while the holder is about to start: the claim then lapses by itself."""


class RunClaims(Protocol):
    """Which run has a name; whoever asks first has it, also of two that ask at the same instant."""

    async def claim(
        self, name: str, *, holder: str, instead_of: str = "", lasts_s: float | None = None
    ) -> Claim:
        """Claim a name; return who has it: ``holder``, or another that was first.

        ``instead_of`` is a holder that has been found to have ended; if it still has the name, it loses it.
        With ``lasts_s`` a new claim lapses after that many seconds, unless it is settled.
        """
        ...

    async def holder(self, name: str) -> str:
        """Return who has a name; empty if it is free."""
        ...

    async def settle(self, name: str, *, holder: str) -> bool:
        """Store a claim for good; return false if another has the name by now."""
        ...
