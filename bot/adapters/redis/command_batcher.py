"""Sends commands of the same moment as one write: many runs share one round trip to the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from bot.adapters.redis.closed import closed_is_lost
from bot.adapters.redis.keys import settled

log = logging.getLogger(__name__)

Command = tuple[str | int | float, ...]
Outcome = list[Any] | Exception
"""The answers to the commands of one call, or the error."""

_LINES = 2
"""Batches in flight: the next one need not wait for the answers to the first."""
_MOST_AT_ONCE = 256
_TRIES = 3
_PAUSE_S = 0.05
_WAIT_MS = 1000


class NotReplicatedError(RedisError):
    """A write is on too few replicas to be relied on; try again."""


@dataclass(eq=False)
class _Call:
    commands: tuple[Command, ...]
    answers: asyncio.Future[list[Any]]


class CommandBatcher:
    """Connections of its own to one server; commands of the same moment are sent together, in call order.

    A command whose answer was lost with its connection is sent again, so every command must be harmless
    when it runs twice.
    """

    def __init__(self, line: Callable[[], AbstractConnection], *, replicas: int = 0) -> None:
        """Connect by ``line`` when first used; nothing is opened yet.

        An answer counts once ``replicas`` have the write.  A batcher that waits for them is for nothing
        else: other commands on it would have to wait too.
        """
        self._open = line
        self._replicas = replicas
        self._calls: deque[_Call] = deque()
        self._asked = asyncio.Event()
        self._lines: list[asyncio.Task[None]] = []
        self._closing = False

    async def send(self, *commands: Command) -> list[Any]:
        """Send commands over one connection, one behind the other, and wait for their answers.

        Raises:
            RedisError: the server refuses one, or cannot be reached after several tries.
            NotReplicatedError: the replicas do not have it in time; it is written, but must not be relied on.
        """
        if not self._lines:
            self._closing = False
            self._lines = [asyncio.create_task(self._line()) for _ in range(_LINES)]
        call = _Call(commands, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._asked.set()
        return await call.answers

    async def aclose(self) -> None:
        """Close the connections; calls that still wait for an answer fail with that reason."""
        self._closing = True  # redis-py can swallow a cancellation that meets an answer
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
            while not self._closing:
                while not self._calls:
                    self._asked.clear()
                    await self._asked.wait()
                batch = [self._calls.popleft() for _ in range(min(len(self._calls), _MOST_AT_ONCE))]
                try:
                    await self._carry(connection, batch)
                except Exception:  # a line that ended would leave all later calls without an answer
                    log.exception("redis_line_crashed")
                    await _let_go(connection)
                    connection = self._open()
                finally:
                    _fail(batch, ServerLostError("the connection was closed"))
        finally:
            await _let_go(connection)

    async def _carry(self, connection: AbstractConnection, batch: list[_Call]) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                with closed_is_lost():
                    await _exchange(connection, batch, replicas=self._replicas)
            except (
                RedisError,
                OSError,
            ) as error:  # what a server says to a command is read, and not raised, there
                await _let_go(connection)
                batch = [call for call in batch if not call.answers.done()]
                if attempt == _TRIES:
                    _fail(batch, error)
                    return
                log.info("redis_connection_lost", extra={"error": type(error).__name__, "again": len(batch)})
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return


async def _let_go(connection: AbstractConnection) -> None:
    """Close a connection on which answers may be left, so that none is taken for that of another command."""
    with contextlib.suppress(RedisError, OSError), closed_is_lost():
        await connection.disconnect(nowait=True)


async def _exchange(connection: AbstractConnection, batch: list[_Call], *, replicas: int) -> None:
    proof = _proof(batch[0], replicas) if replicas else ()
    commands = [command for call in batch for command in call.commands]
    if not connection.is_connected:
        # Sending connects as well, but asks no Sentinel where to.
        await connection.connect()  # type: ignore[no-untyped-call]
    packed = b"".join(pack_command(command) for command in (*commands, *proof))  # type: ignore[arg-type]
    await connection.send_packed_command(packed, check_health=False)
    outcomes: list[Outcome] = []
    for call in batch:
        outcomes.append(await _outcome(connection, call.commands))
        if not proof:
            _settle(call, outcomes[-1])
    if proof:
        reached = await _outcome(connection, proof)
        for call, outcome in zip(batch, outcomes, strict=True):
            _settle(call, _proven(outcome, reached, replicas))
    for outcome in outcomes:
        if isinstance(outcome, ReadOnlyError):  # connecting again finds the current primary
            await connection.disconnect(nowait=True)
            raise ServerLostError(str(outcome)) from outcome


def _proof(call: _Call, replicas: int) -> tuple[Command, ...]:
    """Return commands that ask how many replicas have everything up to here.

    WAIT counts from this connection's last write, and a script that finds its work done writes nothing: so
    there is a write of our own, where the call's key is.
    """
    *ahead, command = call.commands
    return (*ahead, ("INCR", settled(key_of(command))), ("WAIT", replicas, _WAIT_MS))


def _proven(outcome: Outcome, reached: Outcome, replicas: int) -> Outcome:
    if isinstance(outcome, Exception) or (isinstance(reached, list) and reached[-1] >= replicas):
        return outcome
    have = reached[-1] if isinstance(reached, list) else reached
    return NotReplicatedError(f"{have} of {replicas} replicas have it after {_WAIT_MS} ms")


async def _outcome(connection: AbstractConnection, commands: Sequence[Command]) -> Outcome:
    """Return the answers to some commands; if one was refused, its error is the outcome of all."""
    answers: list[Any] = []
    refusal: ResponseError | None = None
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            refusal = refusal or error
    return refusal or answers


def key_of(command: Command) -> str:
    """Return a command's first key: after a script and the number of its keys, else right after the name."""
    return str(command[3] if str(command[0]).startswith("EVAL") else command[1])


def _settle(call: _Call, outcome: Outcome) -> None:
    if call.answers.done() or isinstance(outcome, ReadOnlyError):
        return  # the caller has gone, or has asked again elsewhere
    if isinstance(outcome, Exception):
        call.answers.set_exception(outcome)
    else:
        call.answers.set_result(outcome)


def _fail(batch: list[_Call], error: Exception) -> None:
    for call in batch:
        _settle(call, error)
