"""Loads of services beside the buyers': each a steady stream of questions to the service itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.errors import RefusedError
from demo.shop.pace import RequestPace
from demo.shop.tally import VersionTally

RATE_PER_S = 1.0
PATIENCE_S = 4.0
_FAILED = 500
_USERS = 1000
_RETURNING_USERS = 20


class Stream(Protocol):
    """A load whose rate can be set and whose outcome is counted."""

    rate_per_s: float
    faulty_share: float
    tally: VersionTally


class Questions:
    """Open loop: asks ``url`` at a rate, whether or not it was answered before."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.tally = VersionTally()
        self.faulty_share = 0.0
        self.returning = False
        """Whether clients keep the cookies that they are given."""
        self._url = url
        self._session = session
        self._pace = RequestPace(RATE_PER_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._cookies: dict[str, str] = {}

    @property
    def rate_per_s(self) -> float:
        """How many are asked a second."""
        return self._pace.per_s

    @rate_per_s.setter
    def rate_per_s(self, rate_per_s: float) -> None:
        self._pace.per_s = rate_per_s

    def start(self) -> None:
        """Begin to ask."""
        self._keep(asyncio.create_task(self._run()))

    async def stop(self) -> None:
        """Ask no more."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._pace.turn()
            self._keep(asyncio.create_task(self._ask()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self) -> None:
        user = f"user-{random.randrange(_RETURNING_USERS if self.returning else _USERS)}"
        headers = {"X-User": user}
        if self.returning and user in self._cookies:
            headers["Cookie"] = self._cookies[user]
        try:
            patience = ClientTimeout(total=PATIENCE_S)
            async with self._session.get(self._url, headers=headers, timeout=patience) as answer:
                await answer.read()
        except (ClientError, TimeoutError):
            self.tally.count(ok=False)
            return
        if self.returning and answer.cookies:
            self._cookies[user] = answer.cookies.output(attrs=[], header="", sep=";").strip()
        self.tally.count(
            ok=answer.status < _FAILED,
            version=answer.headers.get("X-Service-Version", ""),
            server=answer.headers.get("X-Served-By", ""),
            feature=answer.headers.get("X-Feature", ""),
        )


class Streams:
    """Every load by the service it goes to; the buyers' goes to checkout, by way of the storefront."""

    def __init__(self, buyers: Stream, others: Mapping[str, Questions]) -> None:
        self._others = others
        self._all: dict[str, Stream] = {"checkout": buyers, **others}

    def get(self, service: str) -> Stream:
        """Find the load of a service.

        Raises:
            RefusedError: it has none (404).
        """
        if service not in self._all:
            known = ", ".join(self._all)
            raise RefusedError(404, "unknown_service", f"{service} has no load; there is load on {known}.")
        return self._all[service]

    def start(self) -> None:
        """Begin all but the buyers'."""
        for stream in self._others.values():
            stream.start()

    async def stop(self) -> None:
        """End all but the buyers'."""
        await asyncio.gather(*(stream.stop() for stream in self._others.values()))
