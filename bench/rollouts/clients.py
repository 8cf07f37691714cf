"""Clients that ask all the time over connections they keep, and note who answered when."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_REQUEST = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n"


@dataclass
class Seen:
    """What the clients saw; times are the loop's, in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    last_at_s: dict[str, float] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """All that were asked, answered or not."""
        return self.answers.total() + self.broken.total()

    async def until(self, requests: int) -> None:
        """Wait until so many were asked."""
        while self.requests < requests:  # noqa: ASYNC110  # the clients do nothing but ask
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def asking(port: int, *, clients: int, pause_s: float = 0) -> AsyncIterator[Seen]:
    """Have so many clients ask, each ``pause_s`` after its last answer."""
    seen = Seen()
    tasks = [asyncio.create_task(_client(port, seen, pause_s)) for _ in range(clients)]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _client(port: int, seen: Seen, pause_s: float) -> None:
    while True:
        try:
            await _connection(port, seen, pause_s)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            seen.broken[type(error).__name__] += 1
            await asyncio.sleep(0.01)


async def _connection(port: int, seen: Seen, pause_s: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    try:
        while True:
            writer.write(_REQUEST)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            text = (await reader.readexactly(length)).decode()
            status = head.split(b" ", 2)[1].decode()
            if status == "200":
                seen.answers[text] += 1
                seen.last_at_s[text] = loop.time()
            else:
                seen.broken[status] += 1
            await asyncio.sleep(pause_s)
    finally:
        writer.close()
