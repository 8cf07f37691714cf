"""The labels of the migrations are proved on a real PostgreSQL: an old version works beside each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from bot.migrations.assess import assess
from bot.probes.postgres.schema import schema_of
from tests.support.migrations import SHOP, Labelled, labelled, statements
from tests.support.servers import kept, postgres

pytestmark = pytest.mark.server

OLD = statements("migrations_old_version.sql")
KEPT = statements("migrations_kept.sql")


@contextlib.asynccontextmanager
async def shop() -> AsyncIterator[str]:
    async with postgres() as dsn:
        admin = await asyncpg.connect(dsn)
        await admin.execute("CREATE DATABASE shop")
        connection = await asyncpg.connect(at(dsn, "shop"))
        await connection.execute(SHOP)
        await connection.close()
        await admin.close()
        yield dsn


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(shop()) as dsn:
        yield dsn


def at(dsn: str, database: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


@contextlib.asynccontextmanager
async def a_copy(server: str, case: Labelled) -> AsyncIterator[asyncpg.Connection]:
    """Give a session of a database of its own, as the old version left it before this migration."""
    admin = await asyncpg.connect(server)
    name = f"case_{case.name}"[:60]
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE shop STRATEGY FILE_COPY")
    connection = await asyncpg.connect(at(server, name))
    try:
        if case.setup:
            await connection.execute(case.setup)
        yield connection
    finally:
        await connection.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def reads(connection: asyncpg.Connection) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in await connection.fetch(query)] for query in KEPT]


async def works(connection: asyncpg.Connection) -> str:
    """Run the day of the old version and take it back; gives what failed, empty if nothing did."""
    day = connection.transaction()
    await day.start()
    try:
        for statement in OLD:
            await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error)
    finally:
        await day.rollback()
    return ""


@pytest.mark.parametrize("case", labelled(), ids=lambda case: case.name)
async def test_what_a_label_says_is_what_the_server_does(server, case):
    async with a_copy(server, case) as connection:
        assert await works(connection) == "", "the old version does not even work before"
        before = await reads(connection)
        await connection.execute(case.sql)
        try:
            same = await reads(connection) == before
        except asyncpg.PostgresError:
            same = False
        failed = await works(connection)
    match case.shown:
        case "works":
            assert (failed, same) == ("", True)
        case "breaks":
            assert failed
        case "differs":
            assert not same
        case "argued":  # what it costs comes later, or with other roles
            assert (failed, same) == ("", True)


async def test_with_the_schema_read_from_the_server_every_verdict_is_that_of_its_label(server):
    told = {}
    for case in labelled():
        async with a_copy(server, case) as connection:
            told[case.name] = assess(case.sql, schema=await schema_of(connection)).rollback.value
    assert told == {case.name: case.verdict for case in labelled()}


def test_nothing_is_labelled_safe_without_proof():
    assert {case.shown for case in labelled() if case.verdict == "safe"} == {"works"}


def test_there_are_enough_of_them_and_enough_are_tricky():
    cases = labelled()
    assert len(cases) >= 40
    assert sum(case.tricky for case in cases) >= 10
    assert {case.verdict for case in cases} == {"safe", "until", "impossible"}
