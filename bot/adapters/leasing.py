"""How a lease is held: taken, renewed all the while, and given back."""

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
"""After so long a lease that nobody renews has lapsed."""
_EVERY_S = 0.2


class LeaseWriter(Protocol):
    """Where leases are written; one that nobody keeps lapses after ``TTL_MS``."""

    async def take(self, service: str, token: str) -> None:
        """Have the lease, whoever had it."""
        ...

    async def keep(self, service: str, token: str) -> bool:
        """Renew it; false if somebody else has it by now."""
        ...

    async def drop(self, service: str, token: str) -> None:
        """Give it back; nothing happens if somebody else has it."""
        ...


@contextlib.asynccontextmanager
async def held(book: LeaseWriter, service: str) -> AsyncIterator[None]:
    """Hold a lease; while the store cannot be reached it is asked again, and the lease lapses."""
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
