"""A version and its migrations are deployed together, on a real PostgreSQL behind a real HAProxy."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from bot.actions.deploy import retire
from bot.actions.migrations.actions import apply
from bot.domain.errors import ActionFailedError
from bot.domain.runs.run import Run
from bot.probes.migrations.probes import old_gone
from demo.scenarios.deploying import ending_of
from tests.integration.deployments import Stage, effects, failed, stage_with
from tests.support.migrations import SHOP
from tests.support.servers import kept, postgres_programs
from tests.support.shop_databases import at, copy, template
from tests.support.waiting import until

pytestmark = pytest.mark.server
GOOD = {
    "expand/01_cents.sql": "ALTER TABLE orders ADD COLUMN cents bigint;",
    "expand/02_index.sql": "CREATE INDEX CONCURRENTLY by_cents ON orders (cents);",
    "migrate/01_fill.sql": (
        "-- backfill: orders.id\nUPDATE orders SET cents = (total * 100)::bigint WHERE id > $1 AND id <= $2;"
    ),
    "contract/01_note.sql": "ALTER TABLE orders DROP COLUMN note;",
    "down/expand/01_cents.sql": "ALTER TABLE orders DROP COLUMN cents;",
    "down/expand/02_index.sql": "DROP INDEX by_cents;",
    "verify/cents.sql": "SELECT id FROM orders WHERE cents IS NULL",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(template(SHOP)) as dsn:
        yield dsn


@dataclass
class Play:
    """The stage, the database behind it, and the files of 1.5.0."""

    stage: Stage
    database: asyncpg.Connection
    folder: Path

    async def deploy(
        self, files: dict[str, str], *, version: str = "1.5.0", words: str = "settle 1s", key: str = "k"
    ) -> str:
        for name, sql in files.items():
            path = self.folder / "migrations" / version / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql, encoding="utf-8")
        return await self.stage.ask("deploy-migrate", f"shop {version} {words}", key=key)

    async def shape(self) -> str:
        """Sum the schema up, and whose rows there are how many of."""
        columns = await self.database.fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name NOT LIKE 'pilothouse%' ORDER BY 1, 2"
        )
        indexes = await self.database.fetch(
            "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'pilothouse%'"
        )
        orders = await self.database.fetchval("SELECT string_agg(total::text, ',' ORDER BY id) FROM orders")
        return f"{[tuple(row) for row in columns]} {sorted(row[0] for row in indexes)} {orders}"


@contextlib.asynccontextmanager
async def play(server: str, folder: Path) -> AsyncIterator[Play]:
    async with copy(server) as connection:
        (folder / "migrations").mkdir()
        sources = {
            "postgres": {"dsn": at(server, "mine")},
            "migrations": {"path": str(folder / "migrations")},
        }
        beside = {"postgres": {"backups": str(folder / "backups"), "programs": str(postgres_programs())}}
        async with stage_with(sources=sources, beside=beside) as stage:
            yield Play(stage, connection, folder)


async def watched(on: Play, run_id: str, *, phase: str) -> Run:
    """Carry a run on through its watch until it waits for an approval of this phase, or has ended."""

    async def there() -> Run | None:
        run = await on.stage.go(run_id)
        asked = run.waiting_for is not None and run.waiting_for.phase == phase
        return run if asked or run.outcome is not None else None

    run = await until(there, what=f"an approval of {phase}, or the end")
    assert run is not None
    return run


async def test_a_good_one_is_backed_up_expanded_deployed_filled_and_contracted_by_itself(server, tmp_path):
    async with play(server, tmp_path) as on, on.stage.floor.load() as seen:
        run_id = await on.deploy(GOOD)
        run = await on.stage.read(run_id)
        plan = run.phases["plan"].plan
        assert plan is not None
        assert plan.risk.startswith(
            "Rollback: safe until contract/01_note.sql, because the contents of orders.note are lost."
        )
        assert effects(await on.stage.events(run_id)) == []
        await on.stage.approve(run_id)
        run = await watched(on, run_id, phase="contract")
        assert effects(await on.stage.events(run_id)) == ["backup", "expand", "stage", "promote", "migrate"]
        assert "note" in await on.shape(), "the contract was not agreed to yet"
        assert await on.stage.floor.served(20) == {"1.5.0": 20}
        await on.stage.approve(run_id)
        run = await watched(on, run_id, phase="nothing")
        assert (run.outcome, run.phases["contract"].outcome) == ("done", "ok")
        assert run.phases["watch_contract"].samples_total >= 1
        assert effects(await on.stage.events(run_id))[-2:] == ["retire", "contract"]
        assert "'note'" not in await on.shape()
        assert await on.database.fetchval("SELECT bool_and(cents = total * 100) FROM orders")
        assert on.stage.floor.launcher.running.keys() == {"blue"}
        assert len(list((tmp_path / "backups" / "shop").iterdir())) == 1
    assert failed(seen) == 0


async def test_a_contract_that_nobody_agrees_to_leaves_a_deployment_that_is_done(server, tmp_path):
    async with play(server, tmp_path) as on:
        run_id = await on.deploy(GOOD, words="settle 10m")
        await on.stage.approve(run_id)
        await watched(on, run_id, phase="contract")
        ctx = replace(on.stage.floor.ctx(), catalogue=on.stage.deps.catalogue)
        contract = {"service": "shop", "version": "1.5.0", "phase": "contract"}
        with pytest.raises(ActionFailedError, match=r"1\.4\.1 of shop still runs") as caught:
            await apply(ctx, **contract)
        assert caught.value.code == "old_version_runs"
        asked = {"service": "shop", "version": "1.5.0", "settle_s": 600}
        assert (await old_gone(ctx, **asked)).data["running"] == ["1.4.1"]
        await retire(ctx, service="shop", version="1.4.1")
        facts = await old_gone(ctx, **asked)
        assert (facts.data["gone"], facts.data["running"]) == (False, [])
        assert "served until" in facts.summary
        assert (await old_gone(ctx, **{**asked, "settle_s": 0})).data["gone"] is True
        run = await on.stage.approve(run_id, verdict="reject")
        assert (run.outcome, run.summary.split(".")[0]) == ("done", "Rollout: done")
        assert "note" in await on.shape()
        assert await on.stage.floor.served(10) == {"1.5.0": 10}
        again = await on.deploy(GOOD, key="again")
        await on.stage.approve(again)
        await watched(on, again, phase="contract")
        await on.stage.approve(again)
        run = await watched(on, again, phase="nothing")
        assert (run.outcome, run.phases["contract"].outcome) == ("done", "ok")
        assert "'note'" not in await on.shape()
        assert await on.stage.floor.served(10) == {"1.5.0": 10}


async def test_a_contract_is_not_begun_where_the_new_version_does_not_keep_what_it_promises(server, tmp_path):
    async with play(server, tmp_path) as on:
        run_id = await on.deploy(GOOD)
        await on.stage.approve(run_id)
        await watched(on, run_id, phase="contract")
        await on.database.execute("INSERT INTO orders (customer_id, total) VALUES (1, 5)")  # without cents
        run = await on.stage.approve(run_id)
        assert run.outcome == "failed"
        assert "verify/cents.sql found rows that must not exist: 1" in run.summary
        assert not {"retire", "contract"} & {*effects(await on.stage.events(run_id))}
        assert await on.stage.floor.served(10) == {"1.5.0": 10}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"expand/01.sql": "ALTER TABLE orders ADD cents bigint; ALTER TABLE orders DROP COLUMN note;"},
            "expand/01.sql, `ALTER TABLE orders DROP COLUMN note`: the contents of orders.note are lost",
        ),
        ({"migrate/01.sql": "DELETE FROM parcels;"}, "migrate/01.sql, `DELETE FROM parcels`"),
        ({"expand/01.sql": "ALTER TABEL orders ADD cents bigint;"}, "expand/01.sql"),
    ],
)
async def test_an_unsafe_one_is_refused_by_its_statement_and_nothing_is_changed(
    server, tmp_path, files, said
):
    async with play(server, tmp_path) as on:
        before = await on.shape()
        run_id = await on.deploy(files)
        run = await on.stage.read(run_id)
        assert run.outcome == "failed"
        assert run.summary.startswith("Nothing was changed: ")
        assert said in run.summary
        assert not run.approvals
        assert effects(await on.stage.events(run_id)) == []
        assert run.phases["gates"].steps["migrations"].hint
        assert await on.shape() == before
        assert not (tmp_path / "backups").exists()


async def test_one_whose_schema_does_not_verify_is_reversed_before_anybody_uses_it(server, tmp_path):
    async with play(server, tmp_path) as on:
        before = await on.shape()
        await on.database.execute(
            "CREATE FUNCTION spoil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF tg_tag = 'ALTER TABLE' THEN DELETE FROM orders WHERE id = 3; END IF; END $$;"
            "CREATE EVENT TRIGGER spoil ON ddl_command_end EXECUTE FUNCTION spoil()"
        )
        run_id = await on.deploy(GOOD)
        run = await on.stage.approve(run_id)
        assert run.outcome == "failed"
        assert "orders has 2 rows; it had 3 before" in run.summary
        assert effects(await on.stage.events(run_id)) == ["backup", "expand", "-expand"]
        assert await on.database.fetchval("SELECT count(*) FROM pilothouse_migrations") == 0
        assert (await on.shape()).rpartition(" ")[0] == before.rpartition(" ")[0]
        assert await on.stage.floor.served(10) == {"1.4.1": 10}


async def test_one_whose_data_does_not_verify_gives_the_traffic_back_and_loses_nothing_that_was_written(
    server, tmp_path
):
    async with play(server, tmp_path) as on, on.stage.floor.load() as seen:
        files = {**GOOD, "verify/cents.sql": "SELECT id FROM orders WHERE cents > 0"}
        run = await on.stage.approve(await on.deploy(files))
        assert run.outcome == "failed"
        assert "verify/cents.sql found rows that must not exist: 2" in run.summary
        assert ending_of(run, await on.stage.events(run.id)) == "rolled_back"
        assert await on.stage.floor.served(20) == {"1.4.1": 20}
        assert await on.database.fetchval("SELECT count(cents) FROM orders") == 3
        undone = [event for event in await on.stage.events(run.id) if event.type == "step_undone"]
        assert [event.step for event in undone] == ["promote", "stage", "expand"]
        assert "left in place, because orders.cents holds data" in run.phases["rollout"].steps["expand"].left
    assert failed(seen) == 0


async def test_a_dry_run_shows_the_whole_plan_and_changes_nothing(server, tmp_path):
    async with play(server, tmp_path) as on:
        before = await on.shape()
        run_id = await on.deploy(GOOD, words="dry_run")
        run = await on.stage.read(run_id)
        while run.outcome is None:
            run = await on.stage.go(run_id)
        plan = run.phases["plan"].plan
        assert plan is not None
        assert [step.id for step in plan.steps] == [
            "still_open",
            "backup",
            "expand",
            "stage",
            "promote",
            "migrate",
        ]
        assert run.outcome == "done"
        assert (effects(await on.stage.events(run_id)), await on.shape()) == ([], before)
