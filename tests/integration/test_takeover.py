"""Work that a dead worker left behind is done by another, on a real Valkey."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bot.adapters.redis.journal import RedisJournal
from bot.adapters.redis.work import RedisInbox, RedisWork
from bot.domain.intent import CancelRun
from bot.domain.runbook import Runbook
from tests.worlds import ANA, START, started

pytestmark = pytest.mark.server

BOOK = Runbook.model_validate(
    {
        "name": "look",
        "summary": "Look.",
        "lane": "urgent",
        "phases": [
            {
                "kind": "explore",
                "id": "ground",
                "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}],
            }
        ],
    }
)


@contextlib.asynccontextmanager
async def serving(work, on_run, on_intent):
    task = asyncio.create_task(work.serve(on_run=on_run, on_intent=on_intent))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def nothing(_):
    """Handle nothing."""


async def test_a_worker_that_died_before_its_first_beat_loses_nothing(store):
    heir = RedisWork(store, consumer="heir", lease_s=0.4)
    seen = asyncio.Queue()
    async with serving(heir, nothing, nothing):
        await asyncio.sleep(0.05)
    shard = store.keys.shared
    await RedisJournal(store).start("r1", started(BOOK))
    await RedisInbox(store).put(CancelRun(key="k", at=START, run_id="r1", by=ANA, channel="C1"))
    for stream in (shard.queue("urgent"), shard.inbox):
        taken = await store.client.xreadgroup("workers", "dead", {stream: ">"}, count=1)
        assert taken
    async with serving(RedisWork(store, consumer="heir-2", lease_s=0.4), seen.put, seen.put):
        async with asyncio.timeout(10):
            got = [await seen.get(), await seen.get()]
    assert "r1" in got
    assert [intent.key for intent in got if not isinstance(intent, str)] == ["k"]


async def test_a_worker_that_keeps_beating_keeps_its_work(store):
    busy, other = asyncio.Event(), asyncio.Queue()

    async def long(_):
        busy.set()
        await asyncio.sleep(1.5)

    async with (
        serving(RedisWork(store, consumer="busy", lease_s=0.4), long, nothing),
        contextlib.AsyncExitStack() as stack,
    ):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(5):
            await busy.wait()
        await stack.enter_async_context(
            serving(RedisWork(store, consumer="idle", lease_s=0.4), other.put, other.put)
        )
        await asyncio.sleep(1)
        assert other.empty()


async def test_work_that_fails_is_tried_again_and_then_kept_for_a_person(store):
    tries = 0

    async def fail(_):
        nonlocal tries
        tries += 1
        raise RuntimeError("broken")

    async with serving(RedisWork(store, consumer="one", lease_s=0.05), fail, nothing):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(10):
            while not (dead := await store.client.xrange(store.keys.shared.dead)):  # noqa: ASYNC110  # Redis has no event
                await asyncio.sleep(0.02)
    assert tries == 5
    assert dead[0][1]["work"] == '{"run": "r1"}'


async def test_a_server_that_restarts_and_forgets_its_scripts_is_served_on(store):
    journal = RedisJournal(store)
    await journal.start("r1", started(BOOK))
    await store.client.script_flush()
    taken = await journal.take("r1")
    assert taken.epoch == 1
