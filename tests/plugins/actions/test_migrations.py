"""Migrations are applied to a real PostgreSQL once, or not at all, and reversed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from bot.actions.migrations import actions
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.migrations.execution import manner_of
from tests.support.migrations import SHOP
from tests.support.servers import free_port, kept
from tests.support.shop_databases import at, copy, template
from tests.support.waiting import until

pytestmark = pytest.mark.server

CASES = Path(__file__).parents[2] / "data" / "cases"
WHAT = {"service": "shop", "version": "1.4.0", "phase": "expand"}
GOOD = {
    "expand/01_cents.sql": "ALTER TABLE orders ADD COLUMN cents bigint;",
    "expand/02_region.sql": "ALTER TABLE orders ADD COLUMN region text;",
    "down/expand/01_cents.sql": "ALTER TABLE orders DROP COLUMN cents;",
    "down/expand/02_region.sql": "ALTER TABLE orders DROP COLUMN region;",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(template(SHOP)) as dsn:
        yield dsn


@pytest.fixture
async def database(server) -> AsyncIterator[asyncpg.Connection]:
    async with copy(server) as connection:
        yield connection


@pytest.fixture
def ctx_of(make_ctx, server, database, tmp_path):
    """Write a version's files and give a context for them."""

    def make(files: dict[str, str], **more: object):
        for name, sql in files.items():
            path = tmp_path / "1.4.0" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql, encoding="utf-8")
        sources = {"postgres": {"dsn": at(server, "mine")}, "migrations": {"path": str(tmp_path)}}
        return make_ctx(sources=sources, **more)

    return make


async def columns(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    return {row["attname"] for row in rows}


async def test_a_phase_is_applied_and_entered_with_its_checksums(ctx_of, database):
    done = await actions.apply(ctx_of(GOOD), **WHAT)
    assert {"cents", "region"} <= await columns(database)
    rows = await database.fetch(
        "SELECT file, started, length(checksum) AS n FROM pilothouse_migrations ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [("01_cents.sql", False, 64), ("02_region.sql", False, 64)]
    assert (
        done.summary == "expand/01_cents.sql, expand/02_region.sql of 1.4.0 were applied in shop's database"
    )
    assert done.change is not None
    assert (done.change.id, done.change.kind) == ("run1:fix:step1", "database")


async def test_the_same_phase_twice_changes_nothing_more(ctx_of, database):
    ctx = ctx_of(GOOD)
    await actions.apply(ctx, **WHAT)
    again = await actions.apply(ctx, **WHAT)
    assert (again.changed, again.change) == (False, None)


async def test_a_file_that_is_added_later_is_the_only_one_applied(ctx_of, database):
    await actions.apply(ctx_of(GOOD), **WHAT)
    done = await actions.apply(ctx_of({"expand/03.sql": "CREATE TABLE coupons (id int);"}), **WHAT)
    assert done.after["files"] == ["expand/03.sql"]


async def test_one_file_that_is_refused_leaves_nothing_of_the_phase(ctx_of, database):
    before = await columns(database)
    with pytest.raises(ActionFailedError, match="nowhere") as caught:
        await actions.apply(ctx_of({**GOOD, "expand/03.sql": "ALTER TABLE nowhere ADD a int;"}), **WHAT)
    assert caught.value.code == "migration_refused"
    assert await columns(database) == before
    assert await database.fetchval("SELECT count(*) FROM pilothouse_migrations") == 0


async def test_a_file_that_was_changed_after_it_was_applied_is_refused(ctx_of, database):
    await actions.apply(ctx_of(GOOD), **WHAT)
    changed = ctx_of({"expand/01_cents.sql": "ALTER TABLE orders ADD COLUMN other int;"})
    with pytest.raises(ActionFailedError) as caught:
        await actions.apply(changed, **WHAT)
    assert caught.value.code == "migration_changed"
    assert "other" not in await columns(database)


async def test_a_lock_that_is_not_free_is_given_up_soon_so_that_traffic_does_not_queue(
    ctx_of, database, server
):
    holder = await asyncpg.connect(at(server, "mine"))
    await holder.execute("BEGIN; LOCK TABLE orders")
    with pytest.raises(ActionFailedError) as caught:
        await actions.apply(ctx_of(GOOD), **WHAT, lock_timeout_s=0.1)
    await holder.close()
    assert caught.value.code == "lock_timeout"
    assert (await actions.apply(ctx_of(GOOD), **WHAT)).changed


ADD = "ALTER TABLE orders ADD COLUMN region text;"
CASE = (CASES / "14-migration-lock-timeout-zero" / "migrations" / "1.0.7" / "expand" / "01.sql").read_text(
    "utf-8"
)


@pytest.mark.parametrize(
    "files",
    [
        {"expand/01.sql": CASE},
        {"expand/01.sql": "SET LOCAL lock_timeout = '1h'; ALTER TABLE orders ADD COLUMN region text;"},
        {
            "expand/01.sql": 'SET SESSION "lock_timeout" TO DEFAULT; ALTER TABLE orders ADD COLUMN region text;'
        },
        {"expand/01.sql": "RESET ALL; ALTER TABLE orders ADD COLUMN region text;"},
        {"expand/01.sql": "RESET lock_timeout; ALTER TABLE orders ADD COLUMN region text;"},
        {
            "expand/01.sql": "SELECT set_config('lock_timeout', '0', false); ALTER TABLE orders ADD COLUMN region text;"
        },
        {
            "expand/01.sql": "SELECT pg_catalog.set_config('lock_' || 'timeout', '0', true); ALTER TABLE orders ADD region text;"
        },
        {"expand/01.sql": f"DO $$ BEGIN SET LOCAL lock_timeout = 0; {ADD} END $$;"},
        {"expand/01.sql": f"DO $$ BEGIN RESET ALL; {ADD} END $$;"},
        {"expand/01.sql": f"DO $$ BEGIN EXECUTE 'SET lock_' || 'timeout = 0'; {ADD} END $$;"},
        {
            "expand/01.sql": f"CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN RESET ALL; {ADD} END $$; CALL p();"
        },
        {
            "expand/01.sql": f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {ADD} END $$;"
            " ALTER FUNCTION f() SET lock_timeout = 0; SELECT f();"
        },
        {
            "expand/01.sql": "SET lock_timeout = 0;",
            "expand/02.sql": "ALTER TABLE orders ADD COLUMN region text;",
        },
        {
            "expand/01.sql": "SET lock_timeout = 0;",
            "expand/02.sql": "CREATE INDEX CONCURRENTLY i ON orders (total);",
        },
    ],
    ids=lambda files: " | ".join(files.values()),
)
async def test_no_file_undoes_the_limit_on_waiting_for_a_lock(ctx_of, database, server, files):
    holder = await asyncpg.connect(at(server, "mine"))
    try:
        await holder.execute("BEGIN; LOCK TABLE orders IN ROW EXCLUSIVE MODE")
        with pytest.raises((ActionFailedError, ActionInDoubtError)) as caught:
            await actions.apply(ctx_of(files, timeout_s=100), **WHAT, lock_timeout_s=0.1)
    finally:
        await holder.close()
    # files of one transaction leave nothing; one that may not run in it comes after files that stay
    assert caught.value.code in {"lock_timeout", "action_in_doubt"}
    assert re.search("lock timeout|user request", f"{caught.value} {caught.value.__cause__}")


async def test_no_setting_of_a_file_holds_for_the_next_one(ctx_of, database):
    await database.execute("CREATE SCHEMA elsewhere")
    files = {
        "expand/01.sql": "SET search_path = elsewhere; SET work_mem = '2MB'; CREATE TABLE one (id int);",
        "expand/02.sql": "CREATE TABLE two (id int);",
        "expand/03.sql": "SET ROLE pg_monitor; SELECT 1;",
    }
    await actions.apply(ctx_of(files), **WHAT)
    where = "SELECT relname, relnamespace::regnamespace::text FROM pg_class WHERE relname IN ('one', 'two')"
    assert {tuple(row) for row in await database.fetch(where)} == {("one", "elsewhere"), ("two", "public")}


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("DISCARD ALL;", "discards the session"),
        ("BEGIN; SELECT 1; COMMIT;", "begins or ends a transaction"),
    ],
)
async def test_what_would_end_the_session_or_the_transaction_of_the_ledger_is_refused(
    ctx_of, database, sql, why
):
    with pytest.raises(ActionFailedError, match=why) as caught:
        await actions.apply(ctx_of({"expand/01.sql": sql}), **WHAT)
    assert caught.value.code == "migration_unfit"


async def test_a_server_that_ends_the_session_in_the_middle_leaves_doubt_which_a_look_settles(
    ctx_of, database
):
    ctx = ctx_of({**GOOD, "expand/03.sql": "SELECT pg_sleep(30);"}, timeout_s=20)
    running = asyncio.ensure_future(actions.apply(ctx, **WHAT))

    async def killed() -> bool:
        return bool(
            await database.fetchval(
                "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            )
        )

    await until(killed, what="a migration that sleeps")
    with pytest.raises(ActionInDoubtError):
        await running
    assert await actions.is_applied(ctx, **WHAT) is None
    assert "cents" not in await columns(database)


async def test_a_look_tells_of_what_was_applied(ctx_of, database):
    ctx = ctx_of(GOOD)
    assert await actions.is_applied(ctx, **WHAT) is None
    await actions.apply(ctx, **WHAT)
    found = await actions.is_applied(ctx, **WHAT)
    assert found is not None
    assert found.after["files"] == ["expand/01_cents.sql", "expand/02_region.sql"]


async def test_while_another_session_migrates_nothing_is_done(ctx_of, database):
    await database.execute("SELECT pg_advisory_lock(hashtext('pilothouse_migrations'))")
    with pytest.raises(ActionFailedError) as caught:
        await actions.apply(ctx_of(GOOD), **WHAT)
    assert caught.value.code == "migration_running"


async def test_a_lock_that_an_earlier_try_may_hold_leaves_doubt(ctx_of, database):
    await actions.apply(ctx_of(GOOD), **WHAT)
    await database.execute("SELECT pg_advisory_lock(hashtext('pilothouse_migrations'))")
    with pytest.raises(ActionInDoubtError):
        await actions.apply(ctx_of(GOOD), **WHAT)


async def test_an_older_owner_of_the_run_is_refused(ctx_of, database):
    await actions.apply(ctx_of(GOOD, epoch=5), **WHAT)
    with pytest.raises(StaleEpochError):
        await actions.revert(ctx_of(GOOD, epoch=4), **WHAT)
    assert "cents" in await columns(database)


INDEX = {"expand/02_index.sql": "CREATE INDEX CONCURRENTLY by_status ON orders (status);"}


async def test_an_index_is_built_concurrently_after_the_files_before_it(ctx_of, database):
    files = {"expand/01.sql": "ALTER TABLE orders ADD a int;", **INDEX}
    done = await actions.apply(ctx_of(files), **WHAT)
    assert done.after["files"] == ["expand/01.sql", "expand/02_index.sql"]
    assert await database.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_status'::regclass")


async def test_an_index_that_cannot_be_built_is_cleared_away(ctx_of, database):
    unique = {"expand/01.sql": "CREATE UNIQUE INDEX CONCURRENTLY one ON orders (status);"}
    with pytest.raises(ActionFailedError, match="could not create unique index"):
        await actions.apply(ctx_of(unique), **WHAT)
    assert await database.fetchval("SELECT to_regclass('one')") is None
    assert await database.fetchval("SELECT count(*) FROM pilothouse_migrations") == 0


@pytest.mark.parametrize("left", ["nothing", "an invalid index", "a valid index"])
async def test_an_index_whose_building_was_cut_off_is_there_once_and_valid(ctx_of, database, left):
    ctx = ctx_of(INDEX)
    await actions.apply(ctx, **WHAT)
    await database.execute("UPDATE pilothouse_migrations SET started = true")
    if left == "nothing":
        await database.execute("DROP INDEX by_status")
    if left == "an invalid index":
        await database.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_status'::regclass"
        )
    assert await actions.is_applied(ctx, **WHAT) is None
    assert (await actions.apply(ctx, **WHAT)).changed
    rows = await database.fetch(
        "SELECT indisvalid FROM pg_index WHERE indrelid = 'orders'::regclass AND indexrelid = 'by_status'::regclass"
    )
    assert [row["indisvalid"] for row in rows] == [True]
    assert not await database.fetchval("SELECT started FROM pilothouse_migrations")


async def test_what_was_begun_and_cannot_be_looked_at_is_put_to_a_person(ctx_of, database):
    ctx = ctx_of({"expand/01.sql": "ALTER TYPE shipping ADD VALUE 'drone';"})
    await actions.apply(ctx, **WHAT)
    await database.execute("UPDATE pilothouse_migrations SET started = true")
    with pytest.raises(ActionInDoubtError, match="was started"):
        await actions.apply(ctx, **WHAT)


async def test_a_file_refused_after_another_was_applied_outside_is_told_as_such(ctx_of, database):
    files = {"expand/01.sql": "ALTER TABLE orders ADD a int;", "expand/02.sql": "VACUUM nowhere;"}
    with pytest.raises(ActionInDoubtError, match="earlier files are applied"):
        await actions.apply(ctx_of(files), **WHAT)
    assert "a" in await columns(database)


async def test_a_phase_is_reversed_the_last_first_and_can_be_applied_again(ctx_of, database):
    ctx = ctx_of(GOOD)
    before = await columns(database)
    await actions.apply(ctx, **WHAT)
    done = await actions.revert(ctx, **WHAT)
    assert done.summary.endswith("were reversed in shop's database")
    assert await columns(database) == before
    assert await actions.is_reverted(ctx, **WHAT) is not None
    assert (await actions.revert(ctx, **WHAT)).changed is False
    assert (await actions.apply(ctx, **WHAT)).changed


async def test_the_role_that_owns_the_tables_is_another_than_the_one_that_reads(make_ctx, ctx_of, database):
    given = ctx_of(GOOD).service("shop").sources
    owner = given["postgres"]["dsn"]
    unable = {"postgres": {"dsn": "postgresql://nobody:x@127.0.0.1:1/none"}}
    sources = {**unable, "migrations": {**given["migrations"], "dsn": owner}}
    done = await actions.apply(make_ctx(sources=sources), **WHAT)
    assert done.changed
    assert {"cents", "region"} <= await columns(database)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("UPDATE orders SET cents = 5 WHERE id = 1", {"cents", "region"}),
        ("INSERT INTO coupons VALUES (1)", {"cents", "region"}),
        ("UPDATE orders SET note = 'old data stays old data'", set()),
    ],
)
async def test_what_holds_data_by_now_is_left_where_only_what_is_empty_is_to_be_reversed(
    ctx_of, database, written, left
):
    more = {"expand/03.sql": "CREATE TABLE coupons (id int);", "down/expand/03.sql": "DROP TABLE coupons;"}
    ctx = ctx_of({**GOOD, **more})
    await actions.apply(ctx, **WHAT)
    await database.execute(written)
    done = await actions.revert(ctx, **WHAT, only_empty=True)
    assert {"cents", "region"} & await columns(database) == left
    assert done.changed is not bool(left)
    assert ("left in place" in done.summary) is bool(left)


async def test_without_a_reverse_nothing_is_reversed(ctx_of, database):
    ctx = ctx_of({**GOOD, "expand/03.sql": "CREATE TABLE coupons (id int);"})
    await actions.apply(ctx, **WHAT)
    with pytest.raises(ActionFailedError) as caught:
        await actions.revert(ctx, **WHAT)
    assert caught.value.code == "no_way_back"
    assert "cents" in await columns(database)
    assert await actions.is_reverted(ctx, **WHAT) is None


async def test_a_database_that_is_away_is_a_failure_without_its_password(make_ctx, tmp_path):
    dsn = f"postgresql://u:hunter2@127.0.0.1:{free_port()}/shop"
    ctx = make_ctx(sources={"postgres": {"dsn": dsn}, "migrations": {"path": str(tmp_path)}})
    with pytest.raises(ActionFailedError) as caught:
        await actions.apply(ctx, **WHAT)
    assert caught.value.code == "target_unavailable"
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


async def test_a_folder_that_is_not_there_is_not_a_phase_without_files(make_ctx, tmp_path: Path):
    ctx = make_ctx(
        sources={"postgres": {"dsn": "postgresql://x"}, "migrations": {"path": str(tmp_path / "no")}}
    )
    with pytest.raises(ActionFailedError, match="cannot be read"):
        await actions.apply(ctx, **WHAT)


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN; CREATE TABLE x (id int); COMMIT",
        "CREATE TABLE x (id int); CREATE INDEX CONCURRENTLY i ON x (id)",
        "CREATE INDEX CONCURRENTLY ON orders (status)",
        "CREATE TABEL x",
    ],
)
def test_what_could_happen_by_half_is_refused_before_anything_is_done(sql):
    assert manner_of(sql).refused
