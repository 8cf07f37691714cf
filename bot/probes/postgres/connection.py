"""A read-only connection to PostgreSQL, and errors that explain why there is none."""

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
    """The server reports that it cannot be used now; ``why`` is the reason."""

    def __init__(self, why: str) -> None:
        """Store the reason, which completes *The database cannot be used: …*."""
        super().__init__(f"The database cannot be used: {why}.")
        self.why = why


class NoSlotLeftError(PostgresUnusableError):
    """The server has no connection slot left."""


class ServerDownError(PostgresUnusableError):
    """The connection is refused, or the server is starting up or shutting down."""


def owner_dsn(ctx: Context, service: str) -> str:
    """Return the DSN of the tables' owner, as the monitoring role may not read their rows.

    Raises:
        ProbeNotConfiguredError: the catalogue names no database for the service.
    """
    sources = ctx.service(service).sources
    dsn = sources.get("migrations", {}).get("dsn") or sources.get("postgres", {}).get("dsn")
    if not dsn:
        raise ProbeNotConfiguredError(f"{service} has no `postgres` source with a `dsn`.")
    return dsn


@contextlib.asynccontextmanager
async def reading(dsn: str, *, limit_s: float) -> AsyncIterator[Any]:
    """Yield a read-only connection for at most ``limit_s`` seconds; the driver's errors become the probes'.

    Raises:
        NoSlotLeftError: the server has no connection slot left.
        ServerDownError: the connection is refused, or the server is starting up or shutting down.
        ProbeUnavailableError: the server cannot be read; it may be healthy.
        ProbeGarbageError: the server there is not PostgreSQL.
    """
    # The driver's own text is never passed on, as it may hold the address or the password.
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
                # A normal close waits for the server; a session that hangs must not block the probe.
                connection.terminate()
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The database did not answer within {duration(limit_s)}.") from error
    except asyncpg.TooManyConnectionsError as error:
        raise NoSlotLeftError("it has no connection slot left") from error
    except asyncpg.CannotConnectNowError as error:
        raise ServerDownError("it is starting up or shutting down") from error
    except ConnectionRefusedError as error:
        raise ServerDownError("it refuses connections") from error
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.ProtocolError,
        OSError,
        ValueError,
    ) as error:
        raise _translated(error) from error


def _translated(error: Exception) -> ProbeUnavailableError:
    match error:
        case asyncpg.ClientConfigurationError() | ValueError():
            return ProbeUnavailableError("The `dsn` in the catalogue is not valid.")
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InsufficientPrivilegeError():
            return ProbeUnavailableError("The database denied the bot access.")
        case asyncpg.ProtocolError():
            return ProbeGarbageError("The server there did not answer as PostgreSQL does.")
        case _ if "rejected SSL upgrade" in str(error):  # the driver's only message for an unexpected answer
            return ProbeGarbageError("The server there is not PostgreSQL, or it refuses encryption.")
        case _:
            return ProbeUnavailableError(f"The database cannot be read: {type(error).__name__}.")
