"""A database is backed up whole or not at all, by the real pg_dump from a real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from bot.actions.postgres import actions
from bot.actions.postgres.dump import Dumper, login_of, tables_listed
from bot.domain.errors import ActionFailedError, StaleEpochError
from bot.domain.runs.effect import ActionResult
from tests.support.migrations import SHOP
from tests.support.servers import kept, postgres_programs
from tests.support.servers import postgres as start_postgres
from tests.support.waiting import until

pytestmark = pytest.mark.server
WHAT = {"service": "shop", "version": "1.4.0"}


@contextlib.asynccontextmanager
async def shop() -> AsyncIterator[str]:
    async with start_postgres() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(SHOP)
        await connection.close()
        yield dsn


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with kept(shop()) as address:
        yield address


@pytest.fixture
def ctx_of(make_ctx, dsn, tmp_path):
    def make(
        *, dsn: str = dsn, epoch: int = 1, key: str = "run1:fix:step1", timeout_s: float = 20, **more: str
    ):
        target = {"backups": str(tmp_path / "kept"), "programs": str(postgres_programs()), **more}
        return make_ctx(
            sources={"postgres": {"dsn": dsn}},
            target={"postgres": target},
            epoch=epoch,
            key=key,
            timeout_s=timeout_s,
        )

    return make


@pytest.fixture
def slow(tmp_path) -> Iterator[str]:
    """Give a folder of programs whose pg_dump begins only when it is let go."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "pg_restore").symlink_to(postgres_programs() / "pg_restore")
    wait = f"while [ ! -e {folder / 'go'} ]; do sleep 0.05; done"
    program = folder / "pg_dump"
    program.write_text(f'#!/bin/sh\n{wait}\nexec {postgres_programs() / "pg_dump"} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    yield str(folder)
    (folder / "go").touch()


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "kept" / "shop").glob("*"))


def kept_at(done: ActionResult) -> Path:
    return Path(str(done.after["path"]))


def cut_short(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 9 // 10])


async def test_what_is_restored_from_it_is_what_was_there(ctx_of, dsn, tmp_path):
    done = await actions.backup(ctx_of(), **WHAT)
    assert done.changed
    assert "public.orders" in done.after["tables"]
    path = kept_at(done)
    assert path.stat().st_size == done.after["size_bytes"]
    assert path.parent.stat().st_mode & 0o077 == 0, "others may read it"
    admin = await asyncpg.connect(dsn)
    await admin.execute("CREATE DATABASE again")
    again = urlsplit(dsn)._replace(path="/again").geturl()
    restore = [str(postgres_programs() / "pg_restore"), "--exit-on-error", f"--dbname={again}", str(path)]
    await asyncio.to_thread(subprocess.run, restore, check=True)
    connection = await asyncpg.connect(again)
    for table in ("customers", "orders", "parcels", "events"):
        was = await admin.fetch(f"SELECT * FROM {table} ORDER BY 1")
        assert await connection.fetch(f"SELECT * FROM {table} ORDER BY 1") == was
    await connection.close()
    await admin.execute("DROP DATABASE again")
    await admin.close()


async def test_a_second_try_of_the_same_step_finds_the_first_ones_backup(ctx_of, tmp_path):
    first = await actions.backup(ctx_of(), **WHAT)
    assert await actions.is_backed_up(ctx_of(epoch=2), **WHAT) is not None
    again = await actions.backup(ctx_of(epoch=2), **WHAT)
    assert (again.changed, again.after["sha256"]) == (False, first.after["sha256"])
    assert len(left(tmp_path)) == 1
    assert await actions.is_backed_up(ctx_of(key="run2:fix:step1"), **WHAT) is None


async def test_it_is_made_by_who_owns_the_tables_and_not_by_who_only_looks(make_ctx, dsn, tmp_path):
    target = {"backups": str(tmp_path / "kept"), "programs": str(postgres_programs())}
    sources = {
        "postgres": {"dsn": "postgresql://nobody:x@127.0.0.1:1/none"},
        "migrations": {"path": "/", "dsn": dsn},
    }
    ctx = make_ctx(sources=sources, target={"postgres": target}, timeout_s=20)
    assert (await actions.backup(ctx, **WHAT)).changed


async def test_only_the_tables_that_are_named_are_dumped(ctx_of):
    done = await actions.backup(ctx_of(), **WHAT, tables=["orders", "public.customers"])
    assert done.after["tables"] == ["public.customers", "public.orders"]


async def test_a_table_that_is_not_there_is_not_a_backup_without_it(ctx_of, tmp_path):
    with pytest.raises(ActionFailedError, match=r"public\.odrers") as caught:
        await actions.backup(ctx_of(), **WHAT, tables=["odrers"])
    assert caught.value.code == "unknown_table"
    assert left(tmp_path) == []


async def test_without_room_nothing_is_written(ctx_of, tmp_path):
    with pytest.raises(ActionFailedError) as caught:
        await actions.backup(ctx_of(keep_free_mb="999999999"), **WHAT)
    assert caught.value.code == "no_space"
    assert left(tmp_path) == []


async def test_a_backup_that_is_cut_off_is_none_and_what_is_left_of_it_goes(ctx_of, slow, tmp_path):
    running = asyncio.ensure_future(actions.backup(ctx_of(programs=slow), **WHAT))

    async def writing() -> bool:
        return any(name.endswith(".1.part") for name in left(tmp_path)) and not running.done()

    await until(writing, what="a dump under way")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (tmp_path / "slow" / "go").touch()
    assert left(tmp_path) == []
    assert await actions.is_backed_up(ctx_of(), **WHAT) is None
    assert (await actions.backup(ctx_of(), **WHAT)).changed


async def test_what_a_killed_worker_left_is_never_taken_for_a_backup(ctx_of, tmp_path):
    done = await actions.backup(ctx_of(), **WHAT)
    whole = kept_at(done).parent
    whole.rename(whole.with_name(f"{whole.name}.1.part"))  # killed just before it got its name
    assert await actions.is_backed_up(ctx_of(epoch=2), **WHAT) is None
    assert (await actions.backup(ctx_of(epoch=2), **WHAT)).changed
    assert left(tmp_path) == [whole.name]


async def test_an_older_owner_neither_begins_nor_ends_where_a_newer_one_is(ctx_of, slow, tmp_path):
    older = asyncio.ensure_future(actions.backup(ctx_of(epoch=1, programs=slow), **WHAT))

    async def there(mark: str) -> bool:
        return any(name.endswith(mark) for name in left(tmp_path))

    await until(lambda: there(".1.part"), what="the older one's dump")
    newer = asyncio.ensure_future(actions.backup(ctx_of(epoch=2, programs=slow), **WHAT))
    await until(lambda: there(".2.part"), what="the newer one's dump")
    with pytest.raises(StaleEpochError):
        await actions.backup(ctx_of(epoch=1), **WHAT)
    (tmp_path / "slow" / "go").touch()
    assert (await newer).changed
    with pytest.raises((StaleEpochError, ActionFailedError)):
        await older
    assert len(left(tmp_path)) == 1


async def test_a_table_that_somebody_holds_is_not_waited_for(ctx_of, dsn, tmp_path):
    connection = await asyncpg.connect(dsn)
    await connection.execute("BEGIN; LOCK TABLE orders")
    with pytest.raises(ActionFailedError) as caught:
        await actions.backup(ctx_of(timeout_s=4), **WHAT)
    await connection.close()
    assert caught.value.code == "lock_timeout"
    assert left(tmp_path) == []


async def test_a_dump_that_was_cut_short_or_changed_is_refused(ctx_of, dsn, tmp_path):
    done = await actions.backup(ctx_of(), **WHAT)
    path = kept_at(done)
    cut_short(path)
    with pytest.raises(ActionFailedError) as caught:
        await actions.is_backed_up(ctx_of(), **WHAT)
    assert caught.value.code == "backup_damaged"
    dumper = Dumper(dsn, programs=str(postgres_programs()), within_s=20)
    with pytest.raises(ActionFailedError, match="pg_restore exited with code 1"):
        await dumper.tables_in(path)


async def test_programs_that_are_missing_or_fail_leave_nothing(ctx_of, tmp_path):
    (tmp_path / "bin").mkdir()
    with pytest.raises(ActionFailedError) as caught:
        await actions.backup(ctx_of(programs=str(tmp_path / "bin")), **WHAT)
    assert caught.value.code == "target_unavailable"
    program = tmp_path / "bin" / "pg_dump"
    program.write_text("#!/bin/sh\necho 'server version mismatch' >&2; exit 1\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(ActionFailedError, match="version mismatch") as caught:
        await actions.backup(ctx_of(programs=str(tmp_path / "bin")), **WHAT)
    assert "not be older than the server" in caught.value.hint
    assert left(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_said_so(ctx_of, tmp_path):
    (tmp_path / "kept").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ActionFailedError, match="could not be written"):
        await actions.backup(ctx_of(), **WHAT)


async def test_without_a_folder_in_the_catalogue_nothing_is_begun(make_ctx, dsn):
    with pytest.raises(ActionFailedError) as caught:
        await actions.backup(make_ctx(sources={"postgres": {"dsn": dsn}}), **WHAT)
    assert caught.value.code == "target_not_configured"


def test_the_password_is_in_no_list_of_processes():
    address, env = login_of("postgresql://bot:p%40ss@db.example:5432/shop?sslmode=require")
    assert address == "postgresql://bot@db.example:5432/shop?sslmode=require"
    assert env == {"PGPASSWORD": "p@ss"}
    assert login_of("postgresql://bot@db/shop") == ("postgresql://bot@db/shop", {})


def test_only_rows_count_as_what_is_in_a_dump():
    listed = """;
; Archive created at 2026-01-01
3456; 1259 16386 TABLE public orders tester
3490; 0 16386 TABLE DATA public orders tester
3491; 0 16400 TABLE DATA billing two words tester
"""
    assert tables_listed(listed) == ("billing.two words", "public.orders")
