"""The watchers of a workspace, and how they get changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localslack.shapes import Json

WAITING_MOST = 2000


class Feed:
    """Sends changes to watchers, and wakes those who wait for a condition."""

    def __init__(self) -> None:
        self._watchers: dict[asyncio.Queue[Json | None], str | None] = {}
        self._pulses: set[asyncio.Event] = set()

    def tell(self, change: Json, *, only: str | None = None) -> None:
        """Send a change to all watchers, or only to those of the user ``only``."""
        for queue, user in list(self._watchers.items()):
            if (only is None or user == only) and queue.qsize() < WAITING_MOST:
                queue.put_nowait(change)
        for pulse in self._pulses:
            pulse.set()

    @contextmanager
    def watch(self, user: str | None) -> Iterator[asyncio.Queue[Json | None]]:
        """Yield a queue of changes as ``user`` may see them; None in it means the end."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._watchers[queue] = user
        try:
            yield queue
        finally:
            del self._watchers[queue]

    async def until(self, found: Callable[[], Json | None], *, timeout_s: float) -> Json | None:
        """Return ``found``'s first non-None answer, asked after each change; None after ``timeout_s``."""
        with self.pulse() as pulse:
            try:
                async with asyncio.timeout(timeout_s):
                    while (answer := found()) is None:
                        await pulse.wait()
                        pulse.clear()
                    return answer
            except TimeoutError:
                return None

    @contextmanager
    def pulse(self) -> Iterator[asyncio.Event]:
        """Yield an event that each change sets."""
        pulse = asyncio.Event()
        self._pulses.add(pulse)
        try:
            yield pulse
        finally:
            self._pulses.discard(pulse)

    def close(self) -> None:
        """End every watch."""
        for queue in self._watchers:
            queue.put_nowait(None)
