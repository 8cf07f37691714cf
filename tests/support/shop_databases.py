"""A real PostgreSQL with the database ``shop`` as a template, and a copy of it for each test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg

from tests.support.servers import postgres

_MINE = "mine"


def at(dsn: str, database: str) -> str:
    """Give the address of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


@contextlib.asynccontextmanager
async def template(setup: str) -> AsyncIterator[str]:
    """Run a server whose database ``shop`` was made by ``setup``; gives the server's address."""
    async with postgres() as dsn:
        admin = await asyncpg.connect(dsn)
        await admin.execute("CREATE DATABASE shop")
        await admin.close()
        connection = await asyncpg.connect(at(dsn, "shop"))
        await connection.execute(setup)
        await connection.close()
        yield dsn


@contextlib.asynccontextmanager
async def copy(server: str) -> AsyncIterator[asyncpg.Connection]:
    """Copy the template into the database ``mine`` while it is used; gives a connection to it."""
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE DATABASE {_MINE} TEMPLATE shop STRATEGY FILE_COPY")
    connection = await asyncpg.connect(at(server, _MINE))
    try:
        yield connection
    finally:
        await connection.close()
        await admin.execute(f"DROP DATABASE {_MINE} WITH (FORCE)")
        await admin.close()
