"""Database lock: a report holds every row of ``stock`` and goes to lunch."""

from __future__ import annotations

import contextlib
from typing import ClassVar

import asyncpg

from demo.shop.faults.base import Parameters
from demo.shop.postgres import REPORT
from demo.shop.world import ShopWorld

APPLICATION = "nightly-report"


class DatabaseLock:
    """A session is the cause; the cure is to terminate it."""

    name: ClassVar[str] = "database-lock"
    title: ClassVar[str] = "Database lock"
    description: ClassVar[str] = (
        "A report leaves a transaction open that locks all rows of stock; orders queue behind it until "
        "checkout's connections run out."
    )
    cure: ClassVar[str] = "Terminate the blocking session (application nightly-report)."

    def __init__(self) -> None:
        self._connection: asyncpg.Connection | None = None

    async def begin(self, world: ShopWorld, _: Parameters) -> None:
        """Open the transaction and leave it idle."""
        self._connection = await world.postgres.connect(REPORT, application_name=APPLICATION)
        await self._connection.execute("BEGIN")
        await self._connection.fetch("SELECT sku, available FROM stock ORDER BY sku FOR UPDATE")

    async def end(self, world: ShopWorld) -> None:
        """Close the session; its transaction ends with it."""
        del world
        if self._connection is not None:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await self._connection.close(timeout=2)
            self._connection = None

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the session is still there."""
        del world
        return self._connection is not None and not self._connection.is_closed()
