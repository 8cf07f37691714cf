"""The plan of a version's migrations: from files, squawk and the schema of a real PostgreSQL."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from bot.domain.errors import (
    GateClosedError,
    ProbeGarbageError,
    ProbeNotConfiguredError,
    ProbeUnavailableError,
)
from bot.engine.plugins import scan
from bot.probes.migrations import probes as migrations
from bot.probes.migrations import study
from bot.probes.migrations.squawk import lint, squawk_command
from tests.support.migrations import SHOP
from tests.support.servers import free_port, kept, postgres


@contextlib.asynccontextmanager
async def shop() -> AsyncIterator[str]:
    async with postgres() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(SHOP)
        await connection.close()
        yield dsn


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with kept(shop()) as address:
        yield address


def write(folder: Path, files: dict[str, str]) -> None:
    for name, sql in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql, encoding="utf-8")


def service(folder: Path, dsn: str = "") -> dict[str, Any]:
    database = {"postgres": {"dsn": dsn}} if dsn else {}
    return {"name": "shop", "sources": {"migrations": {"path": str(folder)}, **database}}


GOOD = {
    "1.4.0/expand/01_cents.sql": "ALTER TABLE orders ADD COLUMN cents bigint;",
    "1.4.0/migrate/01_fill.sql": "UPDATE orders SET cents = (total * 100)::bigint;",
    "1.4.0/contract/01_note.sql": "ALTER TABLE orders DROP COLUMN note;",
    "1.4.0/down/expand/01_cents.sql": "ALTER TABLE orders DROP COLUMN cents;",
}


@pytest.mark.server
async def test_an_expand_and_contract_is_safe_until_the_contract(context, dsn, tmp_path):
    write(tmp_path, GOOD)
    facts = await migrations.plan(
        context(service(tmp_path, dsn), timeout_s=10), service="shop", version="1.4.0"
    )
    assert facts.data["rollback"] == {
        "verdict": "until",
        "step": "contract/01_note.sql",
        "because": "the contents of orders.note are lost",
    }
    assert facts.summary == (
        "3 migrations of 1.4.0; rollback: safe until contract/01_note.sql, because the contents of orders.note are lost"
    )
    files = facts.data["files"]
    assert [(file["phase"], file["has_down"]) for file in files] == [
        ("expand", True),
        ("migrate", False),
        ("contract", False),
    ]
    assert files[0]["steps"][0]["lock"] == "ACCESS EXCLUSIVE"
    assert facts.data["gaps"] == []


@pytest.mark.server
async def test_a_drop_among_the_expansions_is_impossible_to_take_back(context, dsn, tmp_path):
    write(tmp_path, {**GOOD, "1.4.0/expand/02_oops.sql": "ALTER TABLE orders DROP COLUMN note;"})
    facts = await migrations.plan(
        context(service(tmp_path, dsn), timeout_s=10), service="shop", version="1.4.0"
    )
    assert facts.data["rollback"]["verdict"] == "impossible"
    assert facts.data["rollback"]["step"] == "expand/02_oops.sql"


@pytest.mark.parametrize("away", ["no source", "refused"])
async def test_without_the_database_less_is_called_safe_and_the_gap_is_told(context, tmp_path, away):
    write(tmp_path, {name: sql for name, sql in GOOD.items() if "contract" not in name})
    dsn = "" if away == "no source" else f"postgresql://u:hunter2@127.0.0.1:{free_port()}/shop"
    facts = await migrations.plan(
        context(service(tmp_path, dsn), timeout_s=10), service="shop", version="1.4.0"
    )
    assert facts.data["rollback"]["verdict"] == "until"
    assert len(facts.data["gaps"]) == 1
    assert "hunter2" not in facts.model_dump_json()


async def test_what_squawk_does_not_like_is_told_with_its_file_and_line(context, tmp_path):
    write(tmp_path, {"1/expand/01.sql": "SELECT 1;\nCREATE INDEX i ON orders (total);"})
    facts = await migrations.plan(context(service(tmp_path), timeout_s=10), service="shop", version="1")
    found = {one["rule"]: (one["file"], one["line"]) for one in facts.data["lint"]}
    assert found["require-concurrent-index-creation"] == ("expand/01.sql", 2)
    assert facts.data["errors"] == 0


async def test_sql_that_does_not_parse_is_an_error_and_impossible(context, tmp_path):
    write(tmp_path, {"1/expand/01.sql": "ALTER TABEL orders;"})
    facts = await migrations.plan(context(service(tmp_path), timeout_s=10), service="shop", version="1")
    assert facts.data["errors"] >= 1
    assert facts.data["rollback"]["verdict"] == "impossible"


async def test_a_concurrent_index_is_no_fault_outside_a_transaction_and_is_one_inside():
    sql = "ALTER TABLE orders ADD a bigint; CREATE INDEX CONCURRENTLY i ON orders (total);"
    command = squawk_command()
    inside = await lint(sql, command=command, limit_s=10, in_transaction=True)
    outside = await lint(sql, command=command, limit_s=10, in_transaction=False)
    rule = "ban-concurrent-index-creation-in-transaction"
    assert rule in {one.rule for one in inside}
    assert rule not in {one.rule for one in outside}


async def test_a_version_without_a_folder_has_no_migrations_and_is_safe(context, tmp_path):
    facts = await migrations.plan(context(service(tmp_path)), service="shop", version="9")
    assert (facts.summary, facts.data["rollback"]["verdict"]) == ("9 has no migrations", "safe")


async def test_a_folder_that_is_not_there_is_not_a_version_without_migrations(context, tmp_path):
    with pytest.raises(ProbeUnavailableError, match="does not exist"):
        await migrations.plan(context(service(tmp_path / "gone")), service="shop", version="1")


async def test_no_source_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await migrations.plan(context({"name": "shop"}), service="shop", version="1")


@pytest.mark.parametrize("name", ["1/01.sql", "1/expnad/01.sql"])
async def test_a_file_that_would_never_be_applied_is_refused(context, tmp_path, name):
    write(tmp_path, {name: "SELECT 1;"})
    with pytest.raises(ProbeGarbageError, match="would never be applied"):
        await migrations.plan(context(service(tmp_path)), service="shop", version="1")


async def test_a_file_that_is_no_text_is_garbage(context, tmp_path):
    write(tmp_path, {"1/expand/01.sql": ""})
    (tmp_path / "1/expand/01.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(ProbeGarbageError, match="not valid UTF-8"):
        await migrations.plan(context(service(tmp_path)), service="shop", version="1")


@pytest.mark.parametrize("version", ["..", "../1", "a/b", "", ".hidden"])
def test_a_version_that_leads_out_of_the_folder_is_refused(version):
    plugin = scan("bot.probes", third_parties=False).get("migrations.plan")
    with pytest.raises(ValidationError):
        plugin.check({"service": "shop", "version": version})


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("sleep 60", ProbeUnavailableError, "did not finish"),
        ("echo no json", ProbeGarbageError, "no json"),
        ("exit 101", ProbeGarbageError, "exited with code 101"),
    ],
)
async def test_a_linter_that_hangs_or_babbles_is_not_a_clean_file(tmp_path, script, error, said):
    fake = tmp_path / "squawk"
    fake.write_text(f"#!/bin/sh\ncat >/dev/null\n{script.replace('sleep', 'exec sleep')}\n", encoding="utf-8")
    fake.chmod(0o755)
    with pytest.raises(error, match=said):
        await lint("SELECT 1", command=str(fake), limit_s=0.5, in_transaction=True)


async def test_a_linter_that_cannot_be_started_is_unavailable(tmp_path):
    with pytest.raises(ProbeUnavailableError, match="could not be started"):
        await lint("SELECT 1", command=str(tmp_path / "none"), limit_s=1, in_transaction=True)


@pytest.mark.server
@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        (
            {"expand/01.sql": "ALTER TABLE orders DROP COLUMN note;"},
            (
                "migration_irreversible",
                "expand/01.sql, `ALTER TABLE orders DROP COLUMN note`: the contents of orders.note are lost",
            ),
        ),
        ({"migrate/01.sql": "UPDATE orders SET note = '';"}, ("migration_irreversible", "migrate/01.sql")),
        ({"expand/01.sql": "BEGIN; CREATE TABLE x (id int); COMMIT;"}, ("migration_unfit", "begins or ends")),
        ({"contract/01.sql": "CREATE TABEL x;"}, ("migration_unfit", "cannot parse")),
    ],
)
async def test_what_may_not_be_applied_is_refused_with_its_statement_and_what_to_write_instead(
    context, dsn, tmp_path, files, refusal
):
    code, said = refusal
    write(tmp_path / "1.4.0", files)
    with pytest.raises(GateClosedError, match=re.escape(said)) as caught:
        await migrations.admit(context(service(tmp_path, dsn), timeout_s=10), service="shop", version="1.4.0")
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)


@pytest.fixture
def of_files(context, dsn, tmp_path):
    """Write the files of 1.4.0 and give a context for them."""

    def make(files: dict[str, str]):
        write(tmp_path / "1.4.0", files)
        return context(service(tmp_path, dsn), timeout_s=10)

    return make


BREAKING = [
    "ALTER TABLE orders ADD COLUMN channel text DEFAULT 'web' NOT NULL; ALTER TABLE orders ALTER COLUMN channel DROP DEFAULT;",
    "ALTER TABLE orders ADD COLUMN channel text NOT NULL;",
    "ALTER TABLE orders RENAME COLUMN note TO remark;",
    "ALTER TABLE orders RENAME TO purchases;",
    "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
    "CREATE UNIQUE INDEX CONCURRENTLY by_note ON orders (note);",
    "ALTER TABLE orders ADD CONSTRAINT one UNIQUE (note);",
    "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;",
    "ALTER TABLE orders ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES orders (id) NOT VALID;",
    "ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x';",
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey;",
    "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    "REVOKE INSERT ON orders FROM PUBLIC;",
    "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
]


@pytest.mark.server
@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("sql", BREAKING)
async def test_what_breaks_the_version_that_still_serves_is_not_admitted_under_expand(
    of_files, monkeypatch, sql, accept
):
    async def no_lint(*_args, **_more):
        return ()

    monkeypatch.setattr(study, "lint", no_lint)  # which refuses some of them for reasons of its own
    ctx = of_files({"expand/01.sql": sql})
    with pytest.raises(GateClosedError, match="still serves") as caught:
        await migrations.admit(ctx, service="shop", version="1.4.0", accept=accept)
    assert caught.value.code == "migration_breaks_old"
    assert caught.value.hint
    assert (await migrations.plan(ctx, service="shop", version="1.4.0")).data["worst"]["expand"] == "until"


@pytest.mark.server
async def test_what_the_old_version_does_not_notice_and_what_belongs_to_the_contract_is_admitted(
    context, dsn, tmp_path
):
    write(tmp_path, GOOD)
    write(tmp_path / "1.4.0", {"contract/09.sql": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;"})
    ctx = context(service(tmp_path, dsn), timeout_s=10)
    await migrations.admit(ctx, service="shop", version="1.4.0")
    facts = await migrations.plan(ctx, service="shop", version="1.4.0")
    assert (facts.data["worst"]["expand"], facts.data["worst"]["contract"]) != ("until", "safe")
    assert any(line.startswith("blocks reads and writes of orders") for line in facts.data["locks"])


@pytest.mark.server
async def test_a_contract_may_destroy_and_a_person_may_accept_what_an_expand_does(context, dsn, tmp_path):
    ctx = context(service(tmp_path, dsn), timeout_s=10)
    write(tmp_path, GOOD)
    facts = await migrations.admit(ctx, service="shop", version="1.4.0")
    assert facts.data["without_reverse"] == []
    write(tmp_path / "1.4.0", {"expand/02.sql": "ALTER TABLE orders DROP COLUMN note;"})
    with pytest.raises(GateClosedError):
        await migrations.admit(ctx, service="shop", version="1.4.0")
    facts = await migrations.admit(ctx, service="shop", version="1.4.0", accept=True)
    assert facts.data["without_reverse"] == ["expand/02.sql"]
