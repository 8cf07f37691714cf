"""Where the time comes from, so that a test can hold it still."""

from __future__ import annotations

import time
from typing import Protocol


class WorkspaceClock(Protocol):
    """Two readings: the wall for timestamps, a steady one for limits and latencies. Both in seconds."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class MachineClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()  # noqa: TID251  # this is the clock the rule asks for

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()
