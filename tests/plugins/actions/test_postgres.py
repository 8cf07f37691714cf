"""Exactly the session that was meant is ended, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager

import asyncpg
import pytest
from pydantic import ValidationError

from bot.actions.postgres import actions
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.engine.plugins import scan

pytestmark = pytest.mark.server


def source(postgres, role="operator"):
    return {"postgres": {"dsn": postgres.dsn(role)}}


@asynccontextmanager
async def session(postgres, role="app"):
    """One session of the app; gives its connection, pid and start."""
    connection = await asyncpg.connect(
        postgres.dsn(role), server_settings={"application_name": "nightly-report"}
    )
    try:
        row = await connection.fetchrow(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        yield connection, row["pid"], row["backend_start"]
    finally:
        await connection.close()


async def alive(connection) -> bool:
    try:
        return await connection.fetchval("SELECT 1") == 1
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def test_the_session_is_ended_and_its_locks_are_free(make_ctx, postgres):
    async with session(postgres) as (blocker, pid, start), session(postgres) as (other, _, _):
        await blocker.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")
        done = await actions.terminate(
            make_ctx(sources=source(postgres)), service="shop", pid=pid, backend_start=start
        )
        assert await other.fetchval("SELECT pg_try_advisory_lock(7)")
        assert not await alive(blocker)
    assert done.summary == f"Session {pid} (nightly-report) of shop's database was ended"
    assert done.before == {
        "application_name": "nightly-report",
        "usename": "app",
        "state": "idle in transaction",
    }
    assert done.change is not None
    assert (done.change.id, done.change.kind) == ("run1:fix:step1", "database")


async def test_a_newer_session_with_the_same_pid_is_left_alone(make_ctx, postgres, began):
    async with session(postgres) as (connection, pid, _):
        done = await actions.terminate(
            make_ctx(sources=source(postgres)), service="shop", pid=pid, backend_start=began
        )
        assert await alive(connection)
    assert (done.changed, done.change) == (False, None)


async def test_the_same_termination_twice_changes_nothing_more(make_ctx, postgres):
    ctx = make_ctx(sources=source(postgres))
    async with session(postgres) as (_, pid, start):
        assert (await actions.terminate(ctx, service="shop", pid=pid, backend_start=start)).changed
        again = await actions.terminate(ctx, service="shop", pid=pid, backend_start=start)
    assert (again.changed, again.summary) == (False, f"Session {pid} of shop's database was already gone")


async def test_a_look_tells_whether_the_session_is_gone(make_ctx, postgres):
    ctx = make_ctx(sources=source(postgres))
    async with session(postgres) as (connection, pid, start):
        assert await actions.is_gone(ctx, service="shop", pid=pid, backend_start=start) is None
        await actions.terminate(ctx, service="shop", pid=pid, backend_start=start)
        found = await actions.is_gone(ctx, service="shop", pid=pid, backend_start=start)
        assert not await alive(connection)
    assert found is not None
    assert found.change is not None


async def test_a_session_that_does_not_end_leaves_doubt(make_ctx, postgres):
    async with session(postgres) as (_, pid, start):
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(ActionInDoubtError, match="is still there"):
                await actions.terminate(
                    make_ctx(sources=source(postgres), timeout_s=0.6),
                    service="shop",
                    pid=pid,
                    backend_start=start,
                )
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_role_that_may_only_look_is_refused(make_ctx, postgres):
    async with session(postgres) as (connection, pid, start):
        with pytest.raises(ActionFailedError) as caught:
            await actions.terminate(
                make_ctx(sources=source(postgres, "watcher")), service="shop", pid=pid, backend_start=start
            )
        assert await alive(connection)
    assert caught.value.code == "not_permitted"
    assert "pg_signal_backend" in caught.value.hint


async def test_a_session_that_may_not_be_looked_at_does_not_count_as_gone(make_ctx, postgres):
    async with session(postgres, "watcher") as (_, pid, start):
        with pytest.raises(ActionFailedError) as caught:
            await actions.terminate(
                make_ctx(sources=source(postgres, "app")), service="shop", pid=pid, backend_start=start
            )
    assert caught.value.code == "not_permitted"


async def test_a_superusers_session_is_refused(make_ctx, postgres):
    async with session(postgres, "root") as (connection, pid, start):
        with pytest.raises(ActionFailedError) as caught:
            await actions.terminate(
                make_ctx(sources=source(postgres)), service="shop", pid=pid, backend_start=start
            )
        assert await alive(connection)
    assert caught.value.code == "not_permitted"


async def test_the_servers_own_processes_are_left_alone(make_ctx, postgres):
    async with session(postgres, "root") as (root, _, _):
        row = await root.fetchrow(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        )
    with pytest.raises(ActionFailedError, match="the server's own"):
        await actions.terminate(
            make_ctx(sources=source(postgres, "root")),
            service="shop",
            pid=row["pid"],
            backend_start=row["backend_start"],
        )


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://operator:hunter2@127.0.0.1:9/shop",
        "postgresql://operator:hunter2@127.0.0.1:port/shop",
        "hunter2",
    ],
)
async def test_a_server_that_cannot_be_reached_is_a_failure_without_its_password(make_ctx, began, dsn):
    ctx = make_ctx(sources={"postgres": {"dsn": dsn}})
    with pytest.raises(ActionFailedError) as caught:
        await actions.terminate(ctx, service="shop", pid=1, backend_start=began)
    assert caught.value.code == "target_unavailable"
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


async def test_a_wrong_password_is_a_failure(make_ctx, postgres, began):
    dsn = postgres.dsn("operator").replace(":operator@", ":wrong@")
    with pytest.raises(ActionFailedError, match="InvalidPasswordError"):
        await actions.terminate(
            make_ctx(sources={"postgres": {"dsn": dsn}}), service="shop", pid=1, backend_start=began
        )


@pytest.mark.parametrize(
    ("pid", "start"), [(0, "2026-01-01T00:00:00Z"), (2**31, "2026-01-01T00:00:00Z"), (5, "noon")]
)
def test_what_can_be_no_session_is_refused_before_anything_is_asked(pid, start):
    plugin = scan("bot.actions", third_parties=False).get("postgres.terminate")
    with pytest.raises(ValidationError):
        plugin.check({"service": "shop", "pid": pid, "backend_start": start})


def test_a_start_without_an_offset_is_refused():
    plugin = scan("bot.actions", third_parties=False).get("postgres.terminate")
    with pytest.raises(ValidationError):
        plugin.check({"service": "shop", "pid": 5, "backend_start": "2026-01-01T00:00:00"})
