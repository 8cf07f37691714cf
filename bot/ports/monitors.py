"""The state of monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.monitoring.monitor import MonitorState, Pause


class MonitorStore(Protocol):
    """The states of monitors, by their full names."""

    async def states(self, names: Sequence[str]) -> dict[str, MonitorState]:
        """Return the states of monitors; one that never checked has a new state."""
        ...

    async def fire(self, name: str, slots_s: Sequence[float]) -> int:
        """Claim slots, oldest first, and queue their checks; return how many were not claimed before."""
        ...

    async def last_slot(self, names: Sequence[str]) -> dict[str, float]:
        """Return the latest claimed slot of each, in seconds since the epoch; without one it is left out."""
        ...

    async def keep(self, name: str, state: MonitorState) -> bool:
        """Store the result of a check, but not the pause; return false if a newer slot was stored before."""
        ...

    async def pause(self, name: str, pause: Pause | None) -> None:
        """Pause a monitor's checks, or resume them."""
        ...
