"""The state of monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.monitoring.monitor import MonitorState, Pause


class MonitorStore(Protocol):
    """What is known of the monitors, by their full names."""

    async def states(self, names: Sequence[str]) -> dict[str, MonitorState]:
        """Read what is known of monitors; one that never looked is as new."""
        ...

    async def fire(self, name: str, slots_s: Sequence[float]) -> int:
        """Claim slots, oldest first, and have them looked at; gives how many nobody had claimed."""
        ...

    async def last_slot(self, names: Sequence[str]) -> dict[str, float]:
        """Tell the latest claimed slot of each, in seconds since the epoch; without one it is left out."""
        ...

    async def keep(self, name: str, state: MonitorState) -> bool:
        """Keep what a look has shown, but not its pause; false if a newer slot was kept before."""
        ...

    async def pause(self, name: str, pause: Pause | None) -> None:
        """Stop a monitor from looking, or let it look again."""
        ...
