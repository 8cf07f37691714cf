"""Ends a migration's wait for a lock from a second session, which nothing in a migration can switch off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bot.actions._shared.database import TROUBLE

_CHECK_S = 0.1
_GRACE_S = 0.25
"""The server's own ``lock_timeout`` comes first, where it holds."""
_WAITED = """
SELECT extract(epoch FROM clock_timestamp() - min(waitstart))::float8
FROM pg_locks WHERE pid = $1 AND NOT granted
"""


@dataclass
class LockGuard:
    """What the second session did."""

    has_cancelled: bool = False


@asynccontextmanager
async def lock_guard(watching: Any, *, pid: int, limit_s: float) -> AsyncIterator[LockGuard]:  # noqa: ANN401  # asyncpg is untyped
    """Cancel the statement of the session ``pid`` once it has waited ``limit_s`` seconds for one lock.

    ``lock_timeout`` alone does not do: a ``DO`` block, a procedure or a function's ``SET`` can change it for
    the statement that is running.  Needs PostgreSQL 14, whose ``pg_locks`` shows since when a lock is waited
    for.
    """
    guard = LockGuard()
    task = asyncio.create_task(_watch(watching, guard, pid=pid, limit_s=limit_s + _GRACE_S))
    try:
        yield guard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, *TROUBLE):
            await task


async def _watch(watching: Any, guard: LockGuard, *, pid: int, limit_s: float) -> None:  # noqa: ANN401
    while True:
        waited_s = await watching.fetchval(_WAITED, pid)
        if waited_s is not None and waited_s >= limit_s:
            guard.has_cancelled = True
            await watching.execute(f"SELECT pg_cancel_backend({pid})")
        await asyncio.sleep(_CHECK_S)
