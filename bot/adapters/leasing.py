"""Holds a lease: takes it, renews it and releases it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Protocol

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

TTL_MS = 600
"""In ms; a lease that is not renewed for this long has lapsed."""
_EVERY_S = 0.2


class LeaseWriter(Protocol):
    """A store of leases; one that is not renewed lapses after ``TTL_MS`` milliseconds."""

    async def take(self, service: str, token: str) -> None:
        """Take the lease, even from another holder."""
        ...

    async def keep(self, service: str, token: str) -> bool:
        """Renew the lease; return false if it now has another holder."""
        ...

    async def drop(self, service: str, token: str) -> None:
        """Release the lease; do nothing if it has another holder."""
        ...


@contextlib.asynccontextmanager
async def held(book: LeaseWriter, service: str) -> AsyncIterator[None]:
    """Hold a lease; while the store is out of reach it is retried, and the lease may lapse."""
    token = secrets.token_hex(8)
    await book.take(service, token)
    keeping = asyncio.create_task(_kept(book, service, token))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await book.drop(service, token)


async def _kept(book: LeaseWriter, service: str, token: str) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            async with asyncio.timeout(_EVERY_S * 2):
                mine = await book.keep(service, token)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("lease_not_kept", extra={"service": service, "error": type(error).__name__})
            continue
        if not mine:
            log.warning("lease_taken_over", extra={"service": service})
            return
