"""A backfill goes through a real PostgreSQL's rows in small batches, and on where it was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from bot.actions.migrations import actions, backfill
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.migrations.execution import Backfill, manner_of
from bot.probes.postgres.probes import state
from tests.support.servers import kept
from tests.support.shop_databases import at, copy, template
from tests.support.waiting import until

WHAT = {"service": "shop", "version": "1.4.0", "phase": "migrate"}
ROWS = 6000
SETUP = f"""
CREATE TABLE visits (id bigint PRIMARY KEY, n int NOT NULL, twice int);
INSERT INTO visits SELECT 3 * i, i FROM generate_series(1, {ROWS}) AS i;
CREATE TABLE passes (txid bigint, rows int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO passes SELECT txid_current(), count(*) FROM changed; RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON visits REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION note();
"""
FILL = {
    "migrate/01.sql": "-- backfill: visits.id\nUPDATE visits SET twice = 2 * n WHERE id > $1 AND id <= $2;"
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(template(SETUP)) as dsn:
        yield dsn


@pytest.fixture
async def database(server) -> AsyncIterator[asyncpg.Connection]:
    async with copy(server) as connection:
        yield connection


@pytest.fixture
def ctx_of(make_ctx, server, database, tmp_path):
    def make(files: dict[str, str], *, timeout_s: float = 30, epoch: int = 1):
        for name, sql in files.items():
            path = tmp_path / "1.4.0" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql, encoding="utf-8")
        sources = {"postgres": {"dsn": at(server, "mine")}, "migrations": {"path": str(tmp_path)}}
        return make_ctx(sources=sources, timeout_s=timeout_s, epoch=epoch)

    return make


async def filled(connection: asyncpg.Connection) -> int:
    return await connection.fetchval("SELECT count(*) FROM visits WHERE twice = 2 * n")


@pytest.mark.server
async def test_every_row_is_filled_once_in_batches_with_a_transaction_each(ctx_of, database):
    done = await actions.apply(ctx_of(FILL), **WHAT)
    assert done.changed
    assert await filled(database) == ROWS
    passes = await database.fetch("SELECT txid, rows FROM passes")
    assert sum(row["rows"] for row in passes) == ROWS, "no row twice"
    assert len({row["txid"] for row in passes}) == len(passes) > 1
    assert max(row["rows"] for row in passes) <= backfill.MOST_ROWS
    assert passes[0]["rows"] == backfill.FIRST_ROWS
    assert (await actions.apply(ctx_of(FILL), **WHAT)).changed is False


@pytest.mark.server
async def test_one_that_is_killed_in_the_middle_goes_on_from_there(ctx_of, database):
    # The trigger of the table makes each batch slow enough to be met in the middle.
    await database.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER UPDATE ON visits FOR EACH STATEMENT EXECUTE FUNCTION slow()"
    )
    running = asyncio.ensure_future(actions.apply(ctx_of(FILL), **WHAT))

    async def some() -> bool:
        return await filled(database) > 0

    await until(some, what="a first batch")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(ActionInDoubtError):
        await running
    had = await filled(database)
    assert 0 < had < ROWS
    assert await actions.is_applied(ctx_of(FILL, epoch=2), **WHAT) is None
    await database.execute("DROP TRIGGER slow ON visits")
    await actions.apply(ctx_of(FILL, epoch=2), **WHAT)
    assert await filled(database) == ROWS
    assert await database.fetchval("SELECT sum(rows) FROM passes") == ROWS, "nothing was filled again"
    assert await database.fetchval("SELECT rows FROM pilothouse_backfills") == ROWS


@pytest.mark.server
async def test_where_its_time_is_over_it_says_how_far_it_is(ctx_of, database):
    await database.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER UPDATE ON visits FOR EACH STATEMENT EXECUTE FUNCTION slow()"
    )
    with pytest.raises(ActionInDoubtError, match=r"filled up to id \d+ of 18000 and stopped") as caught:
        await actions.apply(ctx_of(FILL, timeout_s=1), **WHAT)
    assert caught.value.code == "not_in_time"
    assert 0 < await filled(database) < ROWS
    [known] = (await state(ctx_of(FILL), service="shop")).data["fillings"]
    assert (known["file"], known["last"], 0 < known["done_to"] < 3 * ROWS) == ("01.sql", 3 * ROWS, True)


@pytest.mark.server
async def test_rows_that_somebody_holds_are_waited_for_shortly_and_tried_again(ctx_of, database, server):
    holder = await asyncpg.connect(at(server, "mine"))
    await holder.execute("BEGIN; SELECT FROM visits WHERE id = 3 FOR UPDATE")
    running = asyncio.ensure_future(actions.apply(ctx_of(FILL), **WHAT, lock_timeout_s=0.2))

    async def waits() -> bool:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'mine'"
        return await database.fetchval(asked) > 0

    await until(waits, what="a batch that waits")
    await holder.close()
    assert (await running).changed
    assert await filled(database) == ROWS


@pytest.mark.server
async def test_a_row_that_is_refused_stops_it_and_says_where(ctx_of, database):
    await database.execute("ALTER TABLE visits ADD CHECK (twice < 8000)")
    with pytest.raises(ActionInDoubtError, match=r"stopped: .*visits_twice_check") as caught:
        await actions.apply(ctx_of(FILL), **WHAT)
    assert caught.value.code == "migration_refused"
    with pytest.raises(ActionFailedError) as changed:
        await actions.apply(ctx_of({"migrate/01.sql": f"{FILL['migrate/01.sql']}\n-- other"}), **WHAT)
    assert changed.value.code == "migration_changed"


@pytest.mark.server
async def test_an_empty_table_is_filled_at_once_and_a_key_that_is_no_number_is_refused(ctx_of, database):
    await database.execute("TRUNCATE visits; CREATE TABLE words (word text)")
    assert (await actions.apply(ctx_of(FILL), **WHAT)).changed
    await database.execute("INSERT INTO words VALUES ('a')")
    words = "-- backfill: words.word\nUPDATE words SET word = 'b' WHERE word > $1 AND word <= $2"
    with pytest.raises(ActionFailedError, match="is not an integer"):
        await actions.apply(ctx_of({"migrate/02.sql": words}), **WHAT)


def test_the_head_of_a_file_makes_it_a_backfill():
    assert manner_of(FILL["migrate/01.sql"]).backfill == Backfill(table="visits", key="id")
    other = manner_of("-- backfill: billing.bills.no\nDELETE FROM billing.bills WHERE no > $1 AND no <= $2")
    assert other.backfill == Backfill(schema_name="billing", table="bills", key="no")


@pytest.mark.parametrize(
    "sql",
    [
        "-- backfill: t.id\nUPDATE t SET a = 1 WHERE id > $1",
        "-- backfill: t.id\nUPDATE t SET a = $3 WHERE id > $1 AND id <= $2",
        "-- backfill: t.id\nUPDATE t SET a = 1 WHERE id > $1 AND id <= $2; SELECT 1",
        "-- backfill: t.id\nALTER TABLE t ADD a int",
        "UPDATE t SET a = 1 WHERE id > $1 AND id <= $2",
    ],
)
def test_what_is_no_whole_backfill_is_refused(sql):
    assert manner_of(sql).refused


def test_the_next_batch_is_at_most_twice_as_large_and_takes_about_as_long_as_it_may():
    assert backfill.next_rows(500, took_s=backfill.AIM_S) == 500
    assert backfill.next_rows(500, took_s=0) == 1000
    assert backfill.next_rows(500, took_s=10 * backfill.AIM_S) == 50
    assert backfill.next_rows(backfill.MOST_ROWS, took_s=0) == backfill.MOST_ROWS
    assert backfill.next_rows(1, took_s=100) == 1
