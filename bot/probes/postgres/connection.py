"""A connection to PostgreSQL that only reads, and honest words for why there is none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.engine.plugins import Context

_NAME = "pilothouse"


class PostgresUnusableError(ProbeUnavailableError):
    """The server itself says that it cannot be used now; ``why`` in words."""

    def __init__(self, why: str) -> None:
        """Keep the words."""
        super().__init__(f"The database cannot be used: {why}.")
        self.why = why


class NoSlotLeftError(PostgresUnusableError):
    """The server has no connection slot left, which says how full it is."""


class ServerDownError(PostgresUnusableError):
    """Nobody accepts the connection, or the server is starting up or shutting down."""


def owner_dsn(ctx: Context, service: str) -> str:
    """Tell how to log in as who owns the tables: the role that only looks may not read their rows.

    Raises:
        ProbeNotConfiguredError: the service has no database.
    """
    sources = ctx.service(service).sources
    dsn = sources.get("migrations", {}).get("dsn") or sources.get("postgres", {}).get("dsn")
    if not dsn:
        raise ProbeNotConfiguredError(f"{service} has no `postgres` source with a `dsn`.")
    return dsn


@contextlib.asynccontextmanager
async def reading(dsn: str, *, limit_s: float) -> AsyncIterator[Any]:
    """Connect for ``limit_s`` seconds in all; what the block raises of the driver is put into our words.

    Raises:
        NoSlotLeftError: as it says.
        ServerDownError: as it says.
        ProbeUnavailableError: the server cannot be read; that says nothing about its health.
        ProbeGarbageError: what listens there is no PostgreSQL.
    """
    # Nothing of the driver's own text is passed on where it may hold the address or the password.
    try:
        async with asyncio.timeout(limit_s):
            connection = await asyncpg.connect(
                dsn,
                timeout=limit_s,
                command_timeout=limit_s,
                server_settings={"application_name": _NAME, "default_transaction_read_only": "on"},
            )
            try:
                yield connection
            finally:
                # Closing politely waits for the server; a session that hangs must not hold the probe.
                connection.terminate()
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The database does not answer within {duration(limit_s)}.") from error
    except asyncpg.TooManyConnectionsError as error:
        raise NoSlotLeftError("it has no connection slot left") from error
    except asyncpg.CannotConnectNowError as error:
        raise ServerDownError("it is starting up or shutting down") from error
    except ConnectionRefusedError as error:
        raise ServerDownError("nobody accepts the connection") from error
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.ProtocolError,
        OSError,
        ValueError,
    ) as error:
        raise _in_our_words(error) from error


def _in_our_words(error: Exception) -> ProbeUnavailableError:
    match error:
        case asyncpg.ClientConfigurationError() | ValueError():
            return ProbeUnavailableError("The `dsn` in the catalogue is not valid.")
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InsufficientPrivilegeError():
            return ProbeUnavailableError("The database does not let the bot in.")
        case asyncpg.ProtocolError():
            return ProbeGarbageError("What listens there does not speak PostgreSQL's language.")
        case _ if "rejected SSL upgrade" in str(error):  # all that the driver says when the answer is odd
            return ProbeGarbageError("What listens there is no PostgreSQL, or refuses encryption.")
        case _:
            return ProbeUnavailableError(f"The database cannot be read: {type(error).__name__}.")
