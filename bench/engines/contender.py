"""What every contender can do: bring its workers up, start one triage, and say that it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

STEPS = 5
"""How wide the fan-out is."""
ENDED = "bench:ended"
"""The list onto which a worker pushes the id of a triage that has ended; the same for all contenders."""
_AT_ONCE = 100
_LOST_S = 60.0

Start = Callable[[str], Awaitable[object]]
"""Starts the triage of this id; returns once it is written down."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a contender is given: a Valkey of its own and a folder for what it writes."""

    redis_url: str
    folder: Path


class Contender(Protocol):
    """One engine of the comparison."""

    name: str
    package: str
    """The module without which it cannot run."""

    def running(self, place: Place, *, workers: int) -> AbstractAsyncContextManager[Start]:
        """Bring ``workers`` worker processes up, and down again."""
        ...


class Ears:
    """Hears which triages have ended, over one connection for all that wait."""

    def __init__(self, client: Redis) -> None:
        """Keep the client; nothing is heard before ``listen`` runs."""
        self._client = client
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def expect(self, triage_id: str) -> asyncio.Future[None]:
        """Give what is done when this triage has ended; ask before it is started."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[triage_id] = future
        return future

    async def listen(self) -> None:
        """Hear until cancelled."""
        while True:
            answer = await self._client.blmpop(1, 1, ENDED, direction="LEFT", count=_AT_ONCE)
            for triage_id in answer[1] if answer else ():
                if (future := self._waiting.pop(triage_id, None)) is not None and not future.done():
                    future.set_result(None)


@contextlib.asynccontextmanager
async def listening(redis_url: str) -> AsyncIterator[Ears]:
    """Hear which triages end."""
    client = Redis.from_url(redis_url, decode_responses=True)
    ears = Ears(client)
    task = asyncio.create_task(ears.listen())
    try:
        yield ears
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()


async def triage(start: Start, ears: Ears, triage_id: str) -> None:
    """Start one triage and wait for its end.

    Raises:
        TimeoutError: it did not end within a minute.
    """
    ended = ears.expect(triage_id)
    async with asyncio.timeout(_LOST_S):
        await start(triage_id)
        await ended
