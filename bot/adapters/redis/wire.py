"""Sends what one moment brings as one write: many runs at once share the way to the server and back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as ServerSlowError

log = logging.getLogger(__name__)

Command = tuple[str | int | float, ...]

_LINES = 2
"""While one batch is under way, the next one need not wait for its answers."""
_MOST_AT_ONCE = 256
_TRIES = 3
_PAUSE_S = 0.05


@dataclass(eq=False)
class _Call:
    commands: tuple[Command, ...]
    answers: asyncio.Future[list[Any]]


class Wire:
    """Connections of its own to one server; commands of the same moment travel together, in order of asking.

    A command whose answer was lost with its connection is sent again: whatever goes this way must be harmless
    when it is done twice.
    """

    def __init__(self, line: Callable[[], AbstractConnection]) -> None:
        """Keep what makes a connection that connects by itself when it is used; nothing is opened yet."""
        self._open = line
        self._calls: deque[_Call] = deque()
        self._asked = asyncio.Event()
        self._lines: list[asyncio.Task[None]] = []

    async def send(self, *commands: Command) -> list[Any]:
        """Send commands over one connection, one behind the other, and wait for their answers.

        Raises:
            RedisError: the server refuses one, or cannot be reached after several tries.
        """
        if not self._lines:
            self._lines = [asyncio.create_task(self._line()) for _ in range(_LINES)]
        call = _Call(commands, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._asked.set()
        return await call.answers

    async def aclose(self) -> None:
        """Close the connections; what still waits for an answer is told so."""
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        self._lines = []
        _fail(list(self._calls), ServerLostError("the connection was closed"))
        self._calls.clear()

    async def _line(self) -> None:
        """Carry batches over one connection until cancelled."""
        connection = self._open()
        try:
            while True:
                while not self._calls:
                    self._asked.clear()
                    await self._asked.wait()
                batch = [self._calls.popleft() for _ in range(min(len(self._calls), _MOST_AT_ONCE))]
                try:
                    await self._carry(connection, batch)
                finally:
                    _fail(batch, ServerLostError("the connection was closed"))
        finally:
            with contextlib.suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)

    async def _carry(self, connection: AbstractConnection, batch: list[_Call]) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await _exchange(connection, batch)
            except (ServerLostError, ServerSlowError, OSError) as error:
                batch = [call for call in batch if not call.answers.done()]
                if attempt == _TRIES:
                    _fail(batch, error)
                    return
                log.info("redis_connection_lost", extra={"error": type(error).__name__, "again": len(batch)})
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return


async def _exchange(connection: AbstractConnection, batch: list[_Call]) -> None:
    packed = connection.pack_commands([command for call in batch for command in call.commands])
    if not connection.is_connected:
        await connection.connect()  # sending connects as well, but asks no Sentinel where to
    await connection.send_packed_command(packed, check_health=False)
    for call in batch:
        answers: list[Any] = []
        refusal: ResponseError | None = None
        for _ in call.commands:
            try:
                answers.append(await connection.read_response())
            except (
                ReadOnlyError
            ) as error:  # the primary no longer: whoever it is now is found by connecting anew
                await connection.disconnect(nowait=True)
                raise ServerLostError(str(error)) from error
            except ResponseError as error:
                refusal = refusal or error
        _settle(call, answers, refusal)


def _settle(call: _Call, answers: list[Any], refusal: Exception | None) -> None:
    if call.answers.done():
        return  # whoever asked has gone
    if refusal is not None:
        call.answers.set_exception(refusal)
    else:
        call.answers.set_result(answers)


def _fail(batch: list[_Call], error: Exception) -> None:
    for call in batch:
        _settle(call, [], error)
