"""How often something happens: at random moments of a mean rate, which can be changed at any time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

JITTER = 0.3


class RequestPace:
    """Turns at ``per_s`` a second, each due whether or not the last one is done; at 0 there are none."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._due = time.monotonic()
        self._changed = asyncio.Event()

    @property
    def per_s(self) -> float:
        """The mean rate, a second."""
        return self._per_s

    @per_s.setter
    def per_s(self, per_s: float) -> None:
        # What is waiting for a turn of the old rate waits for one of the new.
        self._per_s = per_s
        self._due = time.monotonic() + self._gap_s()
        self._changed.set()

    async def turn(self) -> None:
        """Wait for the next turn."""
        while not self._per_s or self._due > time.monotonic():
            wait_s = self._due - time.monotonic() if self._per_s else None
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
        self._due += self._gap_s()

    def _gap_s(self) -> float:
        return random.uniform(1 - JITTER, 1 + JITTER) / self._per_s if self._per_s else 0.0
