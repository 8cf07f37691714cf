"""A writing connection to a service's PostgreSQL, and errors that explain why there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import asyncpg

from bot.actions._shared.targets import ACTOR, PATIENCE, field_of, settings_of
from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context

TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What asyncpg raises when the server refuses, closes the connection or does not answer."""


@asynccontextmanager
async def connected(
    ctx: Context, service: str, *, patience_s: float, source: str = "postgres"
) -> AsyncIterator[Any]:
    """Yield a connection to the catalogue's ``source``; each command may take ``patience_s`` seconds.

    Raises:
        ActionFailedError: the source is not configured, or the server cannot be reached; nothing was changed.
    """
    settings = settings_of(ctx, service, where="sources", kind=source)
    dsn = field_of(settings, "dsn", service=service, kind=source)
    try:
        connection = await asyncpg.connect(
            dsn,
            timeout=patience_s,
            command_timeout=patience_s,
            server_settings={"application_name": ACTOR},
        )
    except (*TROUBLE, ValueError) as error:
        # The text of an error may hold the DSN and with it a password.
        raise ActionFailedError(
            f"{service}'s database cannot be reached: {type(error).__name__}.",
            hint="Check that it is up, and its address in the catalogue.",
            code="target_unavailable",
        ) from None
    try:
        yield connection
    finally:
        with suppress(*TROUBLE):  # the work is done, however the connection ends
            await connection.close(timeout=1)


def owner_source(ctx: Context, service: str) -> str:
    """Return the source whose role owns the tables; the catalogue may have another one for reading."""
    return "migrations" if ctx.service(service).sources.get("migrations", {}).get("dsn") else "postgres"


def as_owner(ctx: Context, service: str) -> AbstractAsyncContextManager[Any]:
    """Return a connection as the tables' owner.  Raises as ``connected`` does."""
    source = owner_source(ctx, service)
    return connected(ctx, service, patience_s=ctx.timeout_s * PATIENCE, source=source)
