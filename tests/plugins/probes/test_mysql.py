"""The MySQL probe against a real MariaDB that is well, locked, full, guarded, no longer replicating, or gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.mysql.connection import replication_of, sessions_of
from bot.probes.mysql.probes import health
from tests.support.servers import babbling_server, free_port, kept, mariadb, silent_server
from tests.support.waiting import until

pytestmark = pytest.mark.server
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(mariadb(max_connections=10)) as dsn:
        yield dsn


def connect(dsn: str, **more: Any) -> pymysql.Connection[Any]:
    where = urlsplit(dsn)
    return pymysql.connect(
        host=where.hostname or "",
        port=where.port or 0,
        user=where.username,
        password=where.password or "",
        database="shop",
        **more,
    )


def run(dsn: str, *statements: str) -> None:
    with contextlib.closing(connect(dsn, autocommit=True)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def service(dsn: str, name: str = "shop", **more: Any) -> dict[str, Any]:
    return {"name": name, "sources": {"mysql": {"dsn": dsn}}, **more}


async def test_a_server_that_is_well_has_no_finding_and_is_asked_once_for_all_who_share_it(context, server):
    services = [service(server, depends_on=["pay"]), service(server, "pay")]
    found = await health(context(*services, timeout_s=5), service="shop")
    assert (found.items, found.gaps) == ((), ())
    assert "shop: no session of the database blocks another" in found.normal
    assert "shop: 0 slow queries since its database started" in found.normal
    assert not any(text.startswith("pay:") for text in found.normal)


async def test_who_blocks_is_found_with_the_table_and_those_who_wait(context, server):
    run(
        server,
        "CREATE TABLE IF NOT EXISTS stock (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
        "REPLACE INTO stock VALUES (1, 5)",
    )
    with contextlib.closing(connect(server)) as holder, contextlib.closing(connect(server)) as waiter:
        holder.cursor().execute("UPDATE stock SET n = 4 WHERE id = 1")
        wait = threading.Thread(target=lambda: waiter.cursor().execute("UPDATE stock SET n = 3 WHERE id = 1"))
        wait.start()
        try:

            async def seen() -> bool:
                found = await health(context(service(server), timeout_s=5), service="shop")
                return any(f.kind is FindingKind.DB_BLOCKED for f in found.items)

            await until(seen, what="a blocked session")
            found = await health(context(service(server), timeout_s=5), service="shop")
        finally:
            holder.rollback()
            await asyncio.to_thread(wait.join)
    blocked = next(f for f in found.items if f.kind is FindingKind.DB_BLOCKED)
    assert (blocked.component, blocked.data["blocked"], blocked.data["usename"]) == ("stock", 1, "tester")
    assert blocked.data["session"] == holder.thread_id()
    assert "pid" not in blocked.data  # PostgreSQL's remedy must not be offered
    assert "idle in transaction" in blocked.summary


async def test_a_server_without_a_connection_left_is_a_finding(context, server):
    run(
        server,
        "CREATE USER IF NOT EXISTS crowd@'127.0.0.1' IDENTIFIED BY 'x'",
        "GRANT SELECT ON shop.* TO crowd@'127.0.0.1'",
    )
    crowd = server.replace("tester:secret", "crowd:x")
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(contextlib.closing(connect(crowd)))
        # One more is kept for a superuser: it sees the server full, others do not get in.
        seen = await health(context(service(server), timeout_s=5), service="shop")
        shut = await health(context(service(crowd), timeout_s=5), service="shop")
    assert [f.kind for f in seen.items + shut.items] == [FindingKind.DB_CONNECTIONS_HIGH] * 2
    assert seen.items[0].data["by_application"] == {"crowd": 10}
    assert "no connection left" in shut.items[0].summary


async def test_a_user_who_may_not_see_others_and_a_wrong_password_are_unavailable_and_never_told(
    context, server
):
    run(server, "CREATE USER IF NOT EXISTS narrow@'127.0.0.1' IDENTIFIED BY 'hunter2'")
    for login in ("narrow:hunter2", "narrow:hunter3", "nobody:hunter4"):
        dsn = server.replace("tester:secret", login)
        with pytest.raises(ProbeUnavailableError, match="denied the bot access") as failed:
            await health(context(service(dsn), timeout_s=5), service="shop")
        assert "hunter" not in str(failed.value) + failed.value.hint


async def test_a_password_is_not_sent_in_the_clear_where_tls_is_asked_for(context, server):
    dsn = server.replace("mysql://", "mysqls://")
    with pytest.raises(ProbeUnavailableError, match="does not offer the TLS"):
        await health(context(service(dsn), timeout_s=5), service="shop")


async def test_a_replica_that_does_not_replicate_is_a_finding(context, server):
    run(server, f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={free_port()}, MASTER_USER='x'")
    try:
        found = await health(context(service(server), timeout_s=5), service="shop")
    finally:
        run(server, "RESET SLAVE ALL")
    (finding,) = found.items
    assert finding.kind is FindingKind.DB_REPLICATION_LAG
    assert "has stopped replicating" in finding.summary


def test_the_lag_is_told_by_the_names_that_either_server_uses():
    mysql = {
        "Channel_Name": "",
        "Replica_IO_Running": "Yes",
        "Replica_SQL_Running": "Yes",
        "Seconds_Behind_Source": 40,
    }
    maria = {
        "Connection_name": "eu",
        "Slave_IO_Running": "Yes",
        "Slave_SQL_Running": "Yes",
        "Seconds_Behind_Master": 2,
    }
    assert replication_of([mysql, maria]) == ({"the replica": 40.0, "eu": 2.0}, "")
    stopped = {**mysql, "Replica_SQL_Running": "No", "Seconds_Behind_Source": None, "Last_SQL_Errno": 1062}
    assert replication_of([stopped]) == ({}, "the replica has stopped replicating (error 1062)")


def test_a_session_that_sleeps_without_a_transaction_is_idle():
    row = {
        "id": 7,
        "user": "u",
        "command": "Sleep",
        "time_s": 9,
        "state": "",
        "query": None,
        "age_s": None,
        "waits": 0,
    }
    (session,) = sessions_of([row], [], now=NOW)
    assert (session.state, session.xact_start, session.query_age_s) == ("idle", None, -1.0)


async def test_a_server_that_is_gone_is_a_finding_and_one_that_hangs_is_unavailable(context):
    gone = await health(context(service(f"mysql://u:p@127.0.0.1:{free_port()}")), service="shop")
    assert [f.kind for f in gone.items] == [FindingKind.DB_DOWN]
    async with silent_server() as address:
        with pytest.raises(ProbeUnavailableError, match="did not answer"):
            await health(context(service(f"mysql://u:p@{address}"), timeout_s=0.3), service="shop")


@pytest.mark.parametrize(
    "said", [b"220 mail.example\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x05\x00"]
)
async def test_what_is_no_mysql_is_garbage(context, said):
    async with babbling_server(said) as address:
        with pytest.raises(ProbeGarbageError):
            await health(context(service(f"mysql://u:p@{address}")), service="shop")


@pytest.mark.parametrize("dsn", ["", "postgresql://x", "mysql://", "mysql://x:port", "nonsense"])
async def test_without_a_dsn_of_a_mysql_it_is_not_configured(context, dsn):
    with pytest.raises(ProbeNotConfiguredError):
        await health(context(service(dsn)), service="shop")
