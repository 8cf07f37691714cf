"""The database probe against a real PostgreSQL: locks, idle transactions, no slots left, no server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.postgres.probes import health
from tests.support.servers import free_port, kept, postgres
from tests.support.waiting import LIMIT_S, until

pytestmark = pytest.mark.server


@contextlib.asynccontextmanager
async def database() -> AsyncIterator[str]:
    async with postgres(max_connections=12) as address:
        connection = await asyncpg.connect(address)
        await connection.execute("CREATE TABLE stock (sku text PRIMARY KEY, n int)")
        await connection.execute("INSERT INTO stock VALUES ('tea', 1), ('mug', 1)")
        await connection.close()
        yield address


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with kept(database()) as address:
        yield address


def service(name: str, dsn: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "sources": {"postgres": {"dsn": dsn}} if dsn else {}, **more}


@contextlib.asynccontextmanager
async def session(dsn: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        connection.terminate()


async def test_a_calm_database_gives_no_finding(context, dsn):
    found = await health(context(service("shop", dsn)), service="shop")
    assert found.items == ()
    assert "no session of the database blocks another" in found.normal[0]
    assert "connections in use" in found.normal[1]


async def test_the_root_of_a_blocking_chain_is_named_with_its_table(context, dsn):
    async with (
        session(dsn, "nightly-report") as root,
        session(dsn, "shop-1") as first,
        session(dsn, "shop-2") as second,
    ):
        await root.execute("BEGIN")
        await root.execute("UPDATE stock SET n = n + 1 WHERE sku = 'tea'")
        await first.execute("BEGIN")
        await first.execute("UPDATE stock SET n = n + 1 WHERE sku = 'mug'")
        pid = root.get_server_pid()
        waiting = [
            asyncio.ensure_future(first.execute("UPDATE stock SET n = n + 1 WHERE sku = 'tea'")),
            asyncio.ensure_future(second.execute("UPDATE stock SET n = n + 1 WHERE sku = 'mug'")),
        ]

        async def seen() -> bool:
            found = await health(context(service("shop", dsn)), service="shop")
            return any(f.data.get("blocked") == 2 for f in found.items)

        await until(seen, what="two blocked sessions")
        found = await health(context(service("shop", dsn)), service="shop")
        await root.execute("ROLLBACK")
        await asyncio.wait_for(waiting[0], LIMIT_S)
        await first.execute("ROLLBACK")
        await asyncio.wait_for(waiting[1], LIMIT_S)
    [finding] = [f for f in found.items if f.kind is FindingKind.DB_BLOCKED]
    assert finding.component == "stock"
    assert (finding.data["pid"], finding.data["blocked"]) == (pid, 2)
    assert finding.data["application_name"] == "nightly-report"
    assert finding.data["query"].startswith("UPDATE stock")
    assert finding.data["waiting_applications"] == ["shop-1", "shop-2"]


async def test_the_backend_start_that_is_told_is_the_one_a_remedy_compares(context, dsn):
    async with session(dsn, "report") as root, session(dsn, "shop") as waiter:
        await root.execute("BEGIN")
        await root.execute("LOCK TABLE stock")
        blocked = asyncio.ensure_future(waiter.fetch("SELECT * FROM stock"))

        async def seen() -> bool:
            return bool((await health(context(service("shop", dsn)), service="shop")).items)

        await until(seen, what="a blocked session")
        [finding] = (await health(context(service("shop", dsn)), service="shop")).items
        same = await root.fetchval(
            "SELECT backend_start = $2::text::timestamptz FROM pg_stat_activity WHERE pid = $1",
            finding.data["pid"],
            finding.data["backend_start"],
        )
        await root.execute("ROLLBACK")
        await asyncio.wait_for(blocked, LIMIT_S)
    assert same


async def test_no_connection_slot_left_is_evidence_and_not_unavailable(context, dsn):
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            for _ in range(20):
                await stack.enter_async_context(session(dsn, "leaky"))
        [finding] = (await health(context(service("shop", dsn)), service="shop")).items
    assert finding.kind is FindingKind.DB_CONNECTIONS_HIGH
    assert "no connection slot left" in finding.summary


async def test_nearly_all_connections_taken_says_by_whom(context, dsn):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(session(dsn, "leaky"))
        found = await health(context(service("shop", dsn)), service="shop")
    [finding] = found.items
    assert finding.kind is FindingKind.DB_CONNECTIONS_HIGH
    assert finding.data["by_application"]["leaky"] == 8


async def test_the_probe_cannot_write(context, dsn):
    await health(context(service("shop", dsn)), service="shop")
    async with session(dsn, "check") as connection:
        settings = await connection.fetch(
            "SELECT application_name FROM pg_stat_activity WHERE application_name = 'pilothouse'"
        )
    assert settings == []  # and it leaves no session behind


async def test_a_server_that_refuses_is_a_finding(context):
    dsn = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x"
    [finding] = (await health(context(service("shop", dsn)), service="shop")).items
    assert finding.kind is FindingKind.DB_DOWN
    assert "hunter2" not in finding.model_dump_json()


async def test_a_wrong_password_is_unavailable_and_never_told(context, dsn):
    wrong = dsn.replace("secret", "hunter2")
    with pytest.raises(ProbeUnavailableError, match="denied the bot access") as failed:
        await health(context(service("shop", wrong)), service="shop")
    assert "hunter2" not in str(failed.value)


async def test_a_database_of_a_dependency_is_read_too_and_each_server_once(context, dsn):
    ctx = context(
        service("front", depends_on=["shop"]), service("shop", dsn, depends_on=["pay"]), service("pay", dsn)
    )
    found = await health(ctx, service="front")
    assert [text.partition(":")[0] for text in found.normal] == ["shop", "shop"]


async def test_a_server_that_hangs_is_unavailable_in_time(context):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProbeUnavailableError, match="did not answer within"):
            await health(
                context(service("shop", f"postgresql://u:p@127.0.0.1:{port}/x"), timeout_s=0.5),
                service="shop",
            )


async def test_a_server_of_another_kind_is_garbage(context):
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProbeUnavailableError) as failed:
            await health(context(service("shop", f"postgresql://u:p@127.0.0.1:{port}/x")), service="shop")
    assert isinstance(failed.value, ProbeGarbageError)


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://u:p@127.0.0.1:notaport/x", "http://x/"])
async def test_a_dsn_that_is_none_is_unavailable(context, dsn):
    with pytest.raises(ProbeUnavailableError, match="not valid"):
        await health(context(service("shop", dsn)), service="shop")


async def test_without_a_dsn_the_probe_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await health(context(service("shop")), service="shop")
