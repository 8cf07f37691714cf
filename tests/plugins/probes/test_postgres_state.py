"""What a database is like before a migration, asked of a real PostgreSQL and of a replica of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.migrations.database import Database, OpenTransaction, Replica, warnings_of, way_back_of
from bot.probes.postgres.probes import state
from tests.support.migrations import SHOP
from tests.support.servers import free_port, kept, postgres, postgres_replica

LEDGER = """
CREATE TABLE pilothouse_migrations (
  version text, phase text, file text, checksum text, started boolean, effect_key text, at timestamptz);
INSERT INTO pilothouse_migrations VALUES ('1.3.0', 'expand', '01.sql', 'c', false, 'k', '2026-01-01T00:00:00Z');
CREATE ROLE blind LOGIN PASSWORD 'blind';
"""


@contextlib.asynccontextmanager
async def shop() -> AsyncIterator[str]:
    async with postgres() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(SHOP)
        await connection.execute(LEDGER)
        await connection.close()
        yield dsn


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with kept(shop()) as address:
        yield address


def service(dsn: str, **target: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"postgres": {"dsn": dsn}}, "target": {"postgres": target}}


@pytest.mark.server
async def test_tables_are_counted_and_the_ledger_is_told(context, dsn):
    facts = await state(context(service(dsn), timeout_s=10), service="shop")
    assert {name: (table["rows"], table["exact"]) for name, table in facts.data["tables"].items()} == {
        "customers": (4, True),
        "events_2025": (1, True),
        "events_2026": (1, True),
        "orders": (3, True),
        "parcels": (2, True),
        "pilothouse_migrations": (1, True),
    }
    assert [(row["version"], row["file"], row["at"]) for row in facts.data["applied"]] == [
        ("1.3.0", "01.sql", "2026-01-01T00:00:00Z")
    ]
    assert facts.data["rollback"]["verdict"] == "safe"
    assert (facts.data["size_bytes"] > 0, facts.data["gaps"]) == (True, [])
    assert facts.data["warnings"] == ["I know of no backup of this database."]


@pytest.mark.server
async def test_an_index_that_is_not_valid_is_told(context, dsn):
    connection = await asyncpg.connect(dsn)
    with contextlib.suppress(asyncpg.UniqueViolationError):
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY one_name ON customers ((name = 'leaver'))")
    facts = await state(context(service(dsn), timeout_s=10), service="shop")
    await connection.execute("DROP INDEX one_name")
    await connection.close()
    assert facts.data["invalid_indexes"] == ["one_name"]
    assert "⚠️ Invalid indexes, which queries cannot use: one_name." in facts.summary


@pytest.mark.server
async def test_a_file_that_was_begun_and_not_ended_leaves_no_way_back(context, dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE pilothouse_migrations SET started = true")
    facts = await state(context(service(dsn), timeout_s=10), service="shop")
    await connection.execute("UPDATE pilothouse_migrations SET started = false")
    await connection.close()
    assert facts.data["rollback"]["verdict"] == "impossible"
    assert facts.data["rollback"]["step"] == "expand/01.sql of 1.3.0"


@pytest.mark.server
async def test_a_replica_is_known_as_one_and_its_primary_tells_how_far_it_is_behind(context, dsn):
    async with postgres_replica(dsn) as replica:
        of_replica = await state(context(service(replica), timeout_s=10), service="shop")
        of_primary = await state(context(service(dsn), timeout_s=10), service="shop")
    assert of_replica.data["rollback"]["verdict"] == "impossible"
    assert "replica" in of_replica.data["rollback"]["because"]
    assert len(of_primary.data["replicas"]) == 1


@pytest.mark.server
async def test_a_role_that_sees_little_is_a_gap_and_not_a_quiet_database(context, dsn):
    blind = dsn.replace("tester:secret", "blind:blind")
    with pytest.raises(ProbeUnavailableError, match="ledger"):
        await state(context(service(blind), timeout_s=10), service="shop")
    connection = await asyncpg.connect(dsn)
    await connection.execute("GRANT SELECT ON pilothouse_migrations TO blind")
    await connection.close()
    facts = await state(context(service(blind), timeout_s=10), service="shop")
    assert facts.data["tables"]["orders"]["exact"] is False
    assert any("pg_monitor" in gap for gap in facts.data["gaps"])
    assert any("cannot read" in gap for gap in facts.data["gaps"])


@pytest.mark.server
async def test_one_role_may_see_the_sessions_and_another_read_the_tables(context, dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE ROLE looks LOGIN PASSWORD 'looks'; GRANT pg_monitor TO looks")
    await connection.close()
    sources = {
        "postgres": {"dsn": dsn.replace("tester:secret", "looks:looks")},
        "migrations": {"path": "/", "dsn": dsn},
    }
    facts = await state(context({"name": "shop", "sources": sources}, timeout_s=10), service="shop")
    assert (facts.data["gaps"], facts.data["tables"]["orders"]["exact"]) == ([], True)


@pytest.mark.server
async def test_a_table_that_somebody_holds_is_a_gap_and_holds_nobody_up(context, dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("BEGIN; LOCK TABLE orders")
    facts = await state(context(service(dsn), timeout_s=10), service="shop")
    await connection.close()
    assert (facts.data["tables"]["orders"]["exact"], facts.data["tables"]["customers"]["exact"]) == (
        False,
        True,
    )
    assert any("Another session has locked" in gap for gap in facts.data["gaps"])


@pytest.mark.server
async def test_a_note_of_a_backup_that_is_none_is_a_gap_and_not_a_backup(context, dsn, tmp_path):
    (tmp_path / "shop" / "1").mkdir(parents=True)
    for name in ("database.dump", "note.json"):
        (tmp_path / "shop" / "1" / name).write_text("{}", encoding="utf-8")
    facts = await state(context(service(dsn, backups=str(tmp_path)), timeout_s=10), service="shop")
    assert facts.data["backup"] is None
    assert "cannot be read" in facts.data["gaps"][0]


async def test_a_database_that_is_away_is_no_state(context):
    away = service(f"postgresql://u:hunter2@127.0.0.1:{free_port()}/shop")
    with pytest.raises(ProbeUnavailableError) as caught:
        await state(context(away), service="shop")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(ProbeNotConfiguredError):
        await state(context({"name": "shop"}), service="shop")


def test_what_is_in_the_way_of_locks_and_replicas_is_said():
    database = Database(
        server="16.1",
        database="shop",
        size_bytes=1,
        replica=False,
        applied=(),
        tables={},
        invalid_indexes=(),
        long_transactions=(OpenTransaction(pid=7, application_name="report", state="idle", age_s=600),),
        replicas=(
            Replica(name="a", lag_s=0),
            Replica(name="b", lag_s=90),
            Replica(name="c", lag_s=None),
        ),
    )
    assert warnings_of(database, backed_up=True) == (
        "Session 7 (report, idle) has a transaction open for 10 min: locks may have to wait for it.",
        "The replica b is 1 min 30 s behind.",
        "The lag of the replica c is unknown.",
    )
    assert way_back_of(database).verdict == "safe"
