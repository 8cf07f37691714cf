"""The single figures that monitors watch, against a real PostgreSQL and a real replica of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.postgres.probes import (
    blocked_sessions,
    connections_used,
    dead_rows,
    longest_transaction,
    replication_lag,
    transaction_ids_used,
)
from tests.support.servers import (
    answering,
    free_port,
    http_server,
    kept,
    postgres,
    postgres_replica,
    silent_server,
    until,
)

pytestmark = pytest.mark.server
ALL = (
    blocked_sessions,
    connections_used,
    dead_rows,
    longest_transaction,
    replication_lag,
    transaction_ids_used,
)


@contextlib.asynccontextmanager
async def database() -> AsyncIterator[str]:
    async with postgres(max_connections=12) as address:
        async with session(address, "setup") as connection:
            await connection.execute(
                "CREATE TABLE stock (sku text, n int); INSERT INTO stock VALUES ('tea', 1);"
                "CREATE ROLE blind LOGIN PASSWORD 'blind'"
            )
        yield address


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with kept(database()) as address:
        yield address


@contextlib.asynccontextmanager
async def session(dsn: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        await connection.close()


def service(dsn: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"postgres": {"dsn": dsn}} if dsn else {}}


async def test_connections_used_is_the_share_of_what_clients_may_take(context, dsn):
    ctx = context(service(dsn))
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(session(dsn, "shop"))
        seen = await connections_used(ctx, service="shop")
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            for _ in range(20):
                await stack.enter_async_context(session(dsn, "leaky"))
        full = await connections_used(ctx, service="shop")
    most = seen.data["most"]
    assert most == 12 - 3  # three are reserved for superusers
    assert (seen.value, seen.unit, seen.data["used"]) == (pytest.approx(3 / most), "ratio", 3)
    assert full.value == 1


async def test_the_longest_transaction_is_timed_from_its_beginning_and_named(context, dsn):
    ctx = context(service(dsn))
    calm = await longest_transaction(ctx, service="shop")
    async with session(dsn, "nightly-report") as report, session(dsn, "shop") as other:
        await report.execute("BEGIN; SELECT 1")
        await asyncio.sleep(0.05)  # real time: the first transaction is this much older
        await other.execute("BEGIN; SELECT 1")
        seen = await longest_transaction(ctx, service="shop")
    assert calm.value == 0
    assert seen.value >= 0.05
    assert (seen.data["application_name"], seen.data["state"]) == ("nightly-report", "idle in transaction")


async def test_blocked_sessions_are_counted_with_whom_they_wait_for(context, dsn):
    ctx = context(service(dsn))
    assert (await blocked_sessions(ctx, service="shop")).value == 0
    async with session(dsn, "root") as root, session(dsn, "a") as first, session(dsn, "b") as second:
        await root.execute("BEGIN; LOCK TABLE stock")
        waiting = [asyncio.ensure_future(c.fetch("SELECT * FROM stock")) for c in (first, second)]

        async def both() -> bool:
            return (await blocked_sessions(ctx, service="shop")).value == 2

        await until(both, what="two blocked sessions")
        seen = await blocked_sessions(ctx, service="shop")
        pid = root.get_server_pid()
        await root.execute("ROLLBACK")
        await asyncio.gather(*waiting)
    assert seen.data["blockers"] == [pid]
    assert seen.data["longest_wait_s"] >= 0


async def test_dead_rows_are_a_share_of_the_worst_table_with_enough_of_them(context, dsn):
    async with session(dsn, "churn") as connection:
        await connection.execute("CREATE TABLE churn (n int) WITH (autovacuum_enabled = false)")
        await connection.execute("INSERT INTO churn SELECT generate_series(1, 400)")
        await connection.execute("DELETE FROM churn WHERE n <= 100")
    ctx = context(service(dsn))

    async def counted() -> bool:
        return (await dead_rows(ctx, service="shop", least=100)).value > 0

    await until(counted, what="the statistics of the deleted rows")
    seen = await dead_rows(ctx, service="shop", least=100)
    assert (seen.value, seen.data) == (0.25, {"table": "public.churn", "dead": 100, "live": 300})
    assert (await dead_rows(ctx, service="shop", least=101)).value == 0


async def test_transaction_ids_used_grows_with_the_age_of_the_oldest_database(context, dsn):
    ctx = context(service(dsn))
    before = await transaction_ids_used(ctx, service="shop")
    async with session(dsn, "writer") as connection:
        for _ in range(5):
            await connection.execute("SELECT txid_current()")
    after = await transaction_ids_used(ctx, service="shop")
    assert after.data["age"] >= before.data["age"] + 5
    assert after.value == pytest.approx(after.data["age"] / 2**31)


async def settled(
    ask: Any, wanted: Any, *, what: str, writing: asyncpg.Connection | None = None
) -> Measurement:
    seen: list[Measurement] = []

    async def so() -> bool:
        if writing is not None:  # the primary measures a lag only while it writes
            await writing.execute("INSERT INTO stock VALUES ('mug', 1)")
        with contextlib.suppress(ProbeUnavailableError):
            seen.append(await ask())
        return bool(seen) and wanted(seen[-1])

    await until(so, what=what)
    return seen[-1]


async def test_the_lag_of_a_replica_is_told_by_the_primary_and_by_the_replica(context, dsn):
    ctx = context(service(dsn), timeout_s=5)
    with pytest.raises(ProbeUnavailableError, match="No replica is connected"):
        await replication_lag(ctx, service="shop")
    async with postgres_replica(dsn) as replica:
        there = context(service(replica), timeout_s=5)

        def asked_of(who: Any) -> Any:
            return lambda: replication_lag(who, service="shop")

        calm = await settled(asked_of(ctx), lambda m: m.value == 0, what="a replica that is up to date")
        assert (calm.data["replicas"], calm.data["behind_bytes"]) == (1, 0)
        assert (await settled(asked_of(there), lambda m: m.value == 0, what="the same, there")).value == 0
        async with session(replica, "pause") as pausing, session(dsn, "writer") as writing:
            await writing.execute("INSERT INTO stock VALUES ('pot', 1)")

            async def replayed() -> bool:
                return bool(await pausing.fetchval("SELECT pg_last_xact_replay_timestamp() IS NOT NULL"))

            await until(replayed, what="a first transaction on the replica")
            await pausing.execute("SELECT pg_wal_replay_pause()")
            for who in (ctx, there):
                late = await settled(
                    asked_of(who), lambda m: m.value > 0.2, what="a replica that is behind", writing=writing
                )
                assert late.data["behind_bytes"] > 0
            await pausing.execute("SELECT pg_wal_replay_resume()")
        await settled(asked_of(ctx), lambda m: m.value == 0, what="a replica that has caught up")


async def test_a_role_that_sees_nobody_else_is_unavailable_and_not_calm(context, dsn):
    ctx = context(service(dsn.replace("tester:secret", "blind:blind")))
    for probe in (blocked_sessions, connections_used, longest_transaction, replication_lag):
        with pytest.raises(ProbeUnavailableError, match="cannot see") as failed:
            await probe(ctx, service="shop")
        assert "pg_monitor" in failed.value.hint
    assert (await transaction_ids_used(ctx, service="shop")).value > 0


@pytest.mark.parametrize("probe", ALL)
async def test_a_server_that_is_gone_silent_or_another_is_unavailable_and_no_figure(context, probe):
    with pytest.raises(ProbeUnavailableError, match="it refuses connections") as failed:
        await probe(context(service(f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x")), service="shop")
    assert "hunter2" not in str(failed.value)
    async with http_server({"/": answering({})}) as url:
        with pytest.raises(ProbeGarbageError):
            await probe(context(service(f"postgresql://u:p@{url[7:]}/x"), timeout_s=1), service="shop")
    async with silent_server() as address:
        ctx = context(service(f"postgresql://u:p@{address}/x"), timeout_s=0.2)
        with pytest.raises(ProbeUnavailableError, match="did not answer within"):
            await probe(ctx, service="shop")
    with pytest.raises(ProbeNotConfiguredError):
        await probe(context(service("")), service="shop")
