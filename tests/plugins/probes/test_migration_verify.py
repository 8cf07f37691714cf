"""After a migration a real PostgreSQL is held against what the files promised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from bot.actions.migrations.actions import apply
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.runs.effect import Effect
from bot.engine.plugins import scan
from bot.probes.migrations.probes import verify, way_back
from bot.probes.postgres.probes import state
from tests.support.migrations import SHOP
from tests.support.servers import free_port, kept
from tests.support.shop_databases import at, copy, template

pytestmark = pytest.mark.server
FILES = {
    "expand/01_cents.sql": "ALTER TABLE orders ADD COLUMN cents bigint;",
    "expand/02_index.sql": "CREATE UNIQUE INDEX CONCURRENTLY by_cents ON orders (cents);",
    "expand/03_table.sql": "CREATE TABLE coupons (id int CONSTRAINT coupons_key PRIMARY KEY);",
    "migrate/01_fill.sql": "UPDATE orders SET cents = (total * 100)::bigint;",
    "contract/01_note.sql": "ALTER TABLE orders DROP COLUMN note;",
    "verify/cents.sql": "SELECT id FROM orders WHERE cents IS NULL",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with kept(template(SHOP)) as dsn:
        yield dsn


class Shop:
    """The shop's database, its migrations, and a context to ask with."""

    def __init__(self, context, dsn: str, folder: Path, connection: asyncpg.Connection) -> None:
        self._folder, self.connection = folder, connection
        sources = {"postgres": {"dsn": dsn}, "migrations": {"path": str(folder)}}
        self.ctx = context({"name": "shop", "sources": sources}, timeout_s=10)

    def write(self, files: dict[str, str]) -> None:
        for name, sql in files.items():
            path = self._folder / "1.4.0" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql, encoding="utf-8")

    async def apply(self, *phases: str) -> None:
        acting = replace(self.ctx, effect=Effect(key="k", epoch=1))
        for phase in phases or ("expand", "migrate"):
            await apply(acting, service="shop", version="1.4.0", phase=phase)

    async def verified(self, **more: object) -> Facts:
        """Ask as the engine does, so that what a runbook hands over is checked."""
        plugin = scan("bot.probes", third_parties=False).get("migrations.verify")
        facts = await plugin.call(self.ctx, {"service": "shop", "version": "1.4.0", **more})
        assert isinstance(facts, Facts)
        return facts


@pytest.fixture
async def shop(context, server, tmp_path) -> AsyncIterator[Shop]:
    async with copy(server) as connection:
        yield Shop(context, at(server, "mine"), tmp_path, connection)


async def test_what_was_applied_as_written_is_as_it_should_be(shop):
    shop.write(FILES)
    before = (await state(shop.ctx, service="shop")).data["tables"]
    await shop.apply()
    facts = await shop.verified(before=before)
    assert facts.data["problems"] == []
    assert facts.data["checked"] == 4 + 5 + 1 + 1, "files, things made, tables counted, questions asked"


async def test_the_version_before_has_a_way_back_until_the_contract_was_applied(shop):
    shop.write(FILES)
    assert (await way_back(shop.ctx, service="shop", version="1.4.0")).data["rollback"]["verdict"] == "safe"
    await shop.apply()
    assert (await way_back(shop.ctx, service="shop", version="1.4.0")).data["rollback"]["verdict"] == "safe"
    await shop.connection.execute(
        "UPDATE pilothouse_migrations SET phase = 'contract', file = '01_note.sql' WHERE file = '01_fill.sql'"
    )
    told = (await way_back(shop.ctx, service="shop", version="1.4.0")).data["rollback"]
    assert told["verdict"] == "impossible"
    assert "contract/01_note.sql of 1.4.0" in told["because"]
    assert (await way_back(shop.ctx, service="shop", version="1.3.0")).data["rollback"]["verdict"] == "safe"


@pytest.mark.parametrize(
    ("version", "to", "verdict"),
    [("1.6.0", "1.3.0", "impossible"), ("1.6.0", "1.4.0", "safe"), ("1.4.0", "1.3.0", "impossible")],
)
async def test_no_way_leads_back_behind_a_contract_between_two_versions(shop, version, to, verdict):
    shop.write({**FILES, "contract/01_note.sql": "SELECT 1;"})
    await shop.apply()
    await shop.connection.execute(
        "UPDATE pilothouse_migrations SET phase = 'contract' WHERE phase = 'migrate'"
    )
    told = await way_back(shop.ctx, service="shop", version=version, to=to)
    assert told.data["rollback"]["verdict"] == verdict


async def test_before_anything_is_applied_all_of_it_is_missing(shop):
    shop.write(FILES)
    facts = await shop.verified()
    assert "expand/01_cents.sql is not applied" in facts.data["problems"]
    assert "the column orders.cents is missing" in facts.data["problems"]
    assert any(said.startswith("verify/cents.sql could not be run") for said in facts.data["problems"])
    assert facts.summary.startswith("1.4.0 failed verification: ")


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        ("DROP INDEX by_cents", "the index by_cents is missing"),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_cents'::regclass",
            "the index by_cents is not valid",
        ),
        ("DROP TABLE coupons", "the table or view coupons is missing"),
        ("UPDATE orders SET cents = NULL WHERE id = 1", "verify/cents.sql found rows that must not exist: 1"),
        ("DELETE FROM orders WHERE id = 1", "orders has 2 rows; it had 3 before"),
        (
            "UPDATE pilothouse_migrations SET started = true WHERE file = '01_fill.sql'",
            "migrate/01_fill.sql was started and did not finish",
        ),
        (
            "UPDATE pilothouse_migrations SET checksum = 'x' WHERE file = '01_fill.sql'",
            "migrate/01_fill.sql was changed after it was applied",
        ),
    ],
)
async def test_whatever_is_not_as_promised_is_named(shop, harm, problem):
    shop.write(FILES)
    before = (await state(shop.ctx, service="shop")).data["tables"]
    await shop.apply()
    await shop.connection.execute(harm)
    assert problem in (await shop.verified(before=before)).data["problems"]


async def test_a_constraint_that_was_to_be_validated_and_is_not_is_named(shop):
    shop.write({"expand/01.sql": "ALTER TABLE orders ADD CONSTRAINT few CHECK (quantity < 99) NOT VALID;"})
    await shop.apply()
    assert (await shop.verified()).data["problems"] == []
    shop.write({"expand/02.sql": "ALTER TABLE orders VALIDATE CONSTRAINT few;"})
    assert "the constraint orders.few is not validated" in (await shop.verified()).data["problems"]
    await shop.apply()
    assert (await shop.verified()).data["problems"] == []


async def test_the_contract_is_held_against_its_own_promise_when_it_is_asked_about(shop):
    shop.write(FILES)
    await shop.apply()
    facts = await shop.verified(phases=["expand", "migrate", "contract"])
    assert "the column orders.note is still there" in facts.data["problems"]
    await shop.apply("contract")
    assert (await shop.verified(phases=["expand", "migrate", "contract"])).data["problems"] == []


async def test_a_question_can_change_nothing(shop):
    shop.write({"verify/evil.sql": "DELETE FROM parcels RETURNING 1"})
    assert "could not be run" in (await shop.verified()).data["problems"][0]
    assert await shop.connection.fetchval("SELECT count(*) FROM parcels") == 2


async def test_what_cannot_be_read_is_neither_good_nor_bad(context, tmp_path):
    (tmp_path / "1.4.0").mkdir()
    source = {"migrations": {"path": str(tmp_path)}}
    with pytest.raises(ProbeNotConfiguredError):
        await verify(context({"name": "shop", "sources": source}), service="shop", version="1.4.0")
    away = {**source, "postgres": {"dsn": f"postgresql://u:hunter2@127.0.0.1:{free_port()}/shop"}}
    with pytest.raises(ProbeUnavailableError) as caught:
        await verify(context({"name": "shop", "sources": away}), service="shop", version="1.4.0")
    assert "hunter2" not in str(caught.value)
    (tmp_path / "1.4.0" / "verify").mkdir()
    (tmp_path / "1.4.0" / "verify" / "x.sql").write_bytes(b"\xff")
    with pytest.raises(ProbeGarbageError):
        await verify(context({"name": "shop", "sources": away}), service="shop", version="1.4.0")
