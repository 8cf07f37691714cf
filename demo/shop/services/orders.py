"""Checkout's database: stock is reserved, orders are kept, in short transactions over a small pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from demo.shop.services.base import ServiceError
from demo.shop.services.releases import ShopRelease

POOL_SIZE = 8
ACQUIRE_TIMEOUT_S = 1.0
CHECK_TIMEOUT_S = 0.4
STATEMENT_TIMEOUT_S = 2.0
RESTOCK_BELOW = 200
RESTOCK_TO = 5000

_RESERVE = "UPDATE stock SET available = available - $2 WHERE sku = $1 RETURNING available, price_cents"
_INSERT = """
INSERT INTO orders (sku, quantity, total_cents, {country}, state{contact})
VALUES ($1, $2, $3, $4, 'reserved'{value})
RETURNING id
"""
_RELEASE = "UPDATE stock SET available = available + $2 WHERE sku = $1"
_STATE = "UPDATE orders SET state = $2 WHERE id = $1"


class Orders:
    """Orders and stock in PostgreSQL."""

    def __init__(self, dsn: str, *, application_name: str, release: ShopRelease) -> None:
        self._dsn = dsn
        # In one statement: the contract of that schema refuses an order that has no contact yet.
        contact, value = (", contact", ", $5") if release.keeps_contact else ("", "")
        self._insert = _INSERT.format(country=release.country_column, contact=contact, value=value)
        self._keeps_contact = release.keeps_contact
        self._name = application_name
        self._pool: asyncpg.Pool | None = None
        self.refused = 0
        """How often no connection was free in time."""

    async def open(self) -> None:
        """Make the pool; it connects when it is first used, so the database may come up later."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=POOL_SIZE,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings={"application_name": self._name},
        )

    async def close(self) -> None:
        """Drop all connections."""
        if self._pool is not None:
            self._pool.terminate()

    @property
    def in_use(self) -> int:
        """How many of the pool's connections are busy."""
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool else 0

    async def price_cents(self, sku: str) -> tuple[int, int]:
        """Read an article's net price and how many are there.

        Raises:
            ServiceError: no such article (404), or the database does not answer (503).
        """
        async with self._connection("SELECT stock") as connection:
            row = await connection.fetchrow("SELECT price_cents, available FROM stock WHERE sku = $1", sku)
        if row is None:
            raise ServiceError(404, "unknown_article", f"no article {sku}")
        return int(row["price_cents"]), int(row["available"])

    async def reserve(
        self, sku: str, *, quantity: int, total_cents: int, country: str, contact: str = ""
    ) -> tuple[int, int]:
        """Take articles from stock and keep the order, in one transaction.

        Returns:
            The order's number and how many articles are left.

        Raises:
            ServiceError: no such article (404), or the database does not answer (503).
        """
        async with self._connection("UPDATE stock") as connection, connection.transaction():
            row = await connection.fetchrow(_RESERVE, sku, quantity)
            if row is None:
                raise ServiceError(404, "unknown_article", f"no article {sku}")
            more = (contact,) if self._keeps_contact else ()
            number = await connection.fetchval(self._insert, sku, quantity, total_cents, country, *more)
        return int(number), int(row["available"])

    async def finish(self, number: int, *, state: str) -> None:
        """Write down how an order ended."""
        async with self._connection("UPDATE orders") as connection:
            await connection.execute(_STATE, number, state)

    async def release(self, number: int, sku: str, *, quantity: int) -> None:
        """Put the articles of a failed order back."""
        async with self._connection("UPDATE stock") as connection, connection.transaction():
            await connection.execute(_RELEASE, sku, quantity)
            await connection.execute(_STATE, number, "failed")

    async def restock(self, sku: str) -> None:
        """Fill an article's shelf."""
        async with self._connection("UPDATE stock") as connection:
            await connection.execute("UPDATE stock SET available = $2 WHERE sku = $1", sku, RESTOCK_TO)

    async def check(self) -> dict[str, Any]:
        """Ask the database for a sign of life, over the pool, as orders do; never raises."""
        try:
            async with self._connection("SELECT 1", patience_s=CHECK_TIMEOUT_S) as connection:
                await connection.fetchval("SELECT 1", timeout=CHECK_TIMEOUT_S)
        except ServiceError as error:
            return {"ok": False, "error": str(error), "in_use": self.in_use, "max": POOL_SIZE}
        return {"ok": True, "in_use": self.in_use, "max": POOL_SIZE}

    @asynccontextmanager
    async def _connection(
        self, what: str, *, patience_s: float = ACQUIRE_TIMEOUT_S
    ) -> AsyncIterator[asyncpg.Connection]:
        if self._pool is None:
            raise RuntimeError("The pool is not open.")
        try:
            connection = await self._pool.acquire(timeout=patience_s)
        except TimeoutError:
            self.refused += 1
            message = (
                f"no database connection became free within {patience_s * 1000:.0f} ms: "
                f"{self.in_use} of {POOL_SIZE} in use"
            )
            raise ServiceError(503, "database_pool_exhausted", message) from None
        except (OSError, asyncpg.PostgresError) as error:
            raise ServiceError(503, "database_unreachable", f"database unreachable: {error}") from error
        try:
            yield connection
        except (TimeoutError, asyncpg.QueryCanceledError):
            message = f"{what} did not finish within {STATEMENT_TIMEOUT_S * 1000:.0f} ms"
            raise ServiceError(503, "database_timeout", message) from None
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
            raise ServiceError(
                503, "database_connection_lost", f"{what} lost its connection: {error}"
            ) from error
        finally:
            await asyncio.shield(self._pool.release(connection))
