"""As much of Redis' protocol as reading needs: send a command, read a text."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import SplitResult, unquote, urlsplit

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError

Ask = Callable[..., Awaitable[str]]

_PORT = 6379
_MOST_BYTES = 1_000_000


@contextlib.asynccontextmanager
async def session(url: str) -> AsyncIterator[Ask]:
    """Connect to ``redis://``, ``rediss://`` or ``unix://`` and log in where the URL says as whom.

    Raises:
        OSError: no connection.
        ProbeNotConfiguredError: the URL is none of these.
        ProbeUnavailableError: the server refuses a command.
        ProbeGarbageError: what answers does not speak the protocol.
    """
    where = _split(url)
    reader, writer = await _open(where)

    async def ask(*words: str) -> str:
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        writer.write(f"*{len(words)}\r\n{''.join(parts)}".encode())
        return await _reply(reader)

    try:
        if where.password:
            names = [unquote(where.username)] if where.username else []
            await ask("AUTH", *names, unquote(where.password))
        yield ask
    finally:
        writer.transport.abort()


def _split(url: str) -> SplitResult:
    try:
        where = urlsplit(url)
        known = where.port is None or where.port > 0
    except ValueError as error:
        raise ProbeNotConfiguredError("The `url` of the `redis` source is no URL.") from error
    if not known or where.scheme not in {"redis", "rediss", "unix"} or not (where.hostname or where.path):
        raise ProbeNotConfiguredError(
            "The `url` of the `redis` source must be redis://, rediss:// or unix://."
        )
    return where


async def _open(where: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if where.scheme == "unix":
        return await asyncio.open_unix_connection(where.path, limit=_MOST_BYTES)
    context = await asyncio.to_thread(ssl.create_default_context) if where.scheme == "rediss" else None
    port = where.port or _PORT
    return await asyncio.open_connection(where.hostname, port, ssl=context, limit=_MOST_BYTES)


async def _reply(reader: asyncio.StreamReader) -> str:
    try:
        kind, said = _parted(await reader.readuntil(b"\r\n"))
        if kind == "$":
            size = int(said)
            if not 0 <= size <= _MOST_BYTES:
                raise ProbeGarbageError("What listens there answers too much to be a Redis.")
            return (await reader.readexactly(size + 2))[:-2].decode("utf-8", "replace")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise ProbeGarbageError("What listens there does not speak Redis' language.") from error
    if kind == "-":
        # The first word is the kind of error; what follows may repeat what was sent.
        raise ProbeUnavailableError(f"Redis refuses to answer: {said.partition(' ')[0]}.")
    return said


def _parted(line: bytes) -> tuple[str, str]:
    text = line[:-2].decode()
    if text[:1] not in {"+", "-", ":", "$"}:
        raise ValueError("no reply begins like this")
    return text[0], text[1:]
