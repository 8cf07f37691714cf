"""A client for the Redis or Valkey that a probe watches; translates the client's errors into the probes'."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes._shared.connect import caused_by

_PORT = 6379


@contextlib.asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Redis]:
    """Open a client of ``redis://``, ``rediss://`` or ``unix://``; the caller sets the deadline.

    It tries once: no retry, no timeout of its own, and no ``HELLO`` or ``CLIENT``, which an ACL may forbid.

    Raises:
        OSError: no connection.
        ProbeNotConfiguredError: the URL is none of these.
        ProbeUnavailableError: the server refuses the login or a command.
        ProbeGarbageError: the server does not speak the protocol, or closes the connection.
    """
    where = _split(url)
    client = Redis(
        **_place(where),
        username=unquote(where.username) if where.username else None,
        password=unquote(where.password) if where.password else None,
        socket_timeout=None,
        socket_connect_timeout=None,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
        protocol=2,
        decode_responses=True,
        encoding_errors="replace",
    )
    try:
        yield client
    except ResponseError as error:
        raise ProbeUnavailableError(f"Redis refused the command: {type(error).__name__}.") from error
    except RedisConnectionError as error:
        if caused_by(error, AuthenticationError) is not None:
            # The server's own message may repeat the password that was sent.
            why = "the login in the `url`" if where.password else "a connection without a password"
            raise ProbeUnavailableError(f"Redis refused {why}.") from error
        if isinstance(reason := caused_by(error, OSError), OSError):
            raise reason from None
        raise ProbeGarbageError(
            "The server there closed the connection instead of answering as Redis does."
        ) from error
    except (RedisError, ValueError) as error:
        raise ProbeGarbageError("The server there did not answer as Redis does.") from error
    finally:
        await client.aclose()


def _split(url: str) -> SplitResult:
    try:
        where = urlsplit(url)
        known = where.port is None or where.port > 0
    except ValueError as error:
        raise ProbeNotConfiguredError("The `url` of the `redis` source is not a URL.") from error
    if not known or where.scheme not in {"redis", "rediss", "unix"} or not (where.hostname or where.path):
        raise ProbeNotConfiguredError(
            "The `url` of the `redis` source must be redis://, rediss:// or unix://."
        )
    return where


def _place(where: SplitResult) -> dict[str, Any]:
    """Return where to connect, as the client's arguments."""
    if where.scheme == "unix":
        return {"unix_socket_path": where.path}
    return {"host": where.hostname, "port": where.port or _PORT, "ssl": where.scheme == "rediss"}
