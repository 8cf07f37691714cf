"""What the gauges tell of a real Valkey is what is in it."""

from __future__ import annotations

import asyncio
import contextlib

from bot.adapters.redis.gauges import Gauges
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.records import RedisBudget
from bot.adapters.redis.work import RedisWork
from bot.domain.board import Topic
from bot.domain.clock import SystemClock
from bot.domain.intent import CancelRun
from bot.ports.work import WorkHandlers
from tests.support.valkeys import fresh_store
from tests.support.waiting import LIMIT_S
from tests.support.worlds import ANA, START, started
from tests.unit.engine.small_world import book, step

BOOK = book({"kind": "explore", "id": "ground", "steps": [step("a")]})


async def ignore(*_):
    """Do nothing."""


async def test_an_empty_store_is_all_zeroes_even_before_any_worker_came():
    async with fresh_store() as store:
        depths = await Gauges(store, SystemClock()).read()
    assert {(lane.waiting, lane.handled, lane.oldest_s) for lane in depths.lanes.values()} == {(0, 0, 0)}
    assert set(depths.lanes) == {"intents", "urgent", "normal", "checks"}
    assert (depths.active, depths.timed, depths.dead, depths.workers, depths.tokens) == (0, 0, 0, 0, {})


async def test_a_topic_that_waits_for_a_time_far_off_wants_no_look_yet():
    async with fresh_store() as store:
        board, gauges = RedisMessageBoard(store), Gauges(store, SystemClock())
        topics = [Topic(kind="alert", id=f"a{number}") for number in range(2)]
        for topic in topics:
            await board.mark(topic)
        holds = await board.claim(limit=2, lease_s=16)
        assert (await gauges.read()).dirty == 2
        await board.release(holds[0], again_in_s=3600)
        assert (await gauges.read()).dirty == 1


async def test_what_waits_and_what_is_in_hand_are_told_apart_and_the_oldest_has_an_age():
    async with fresh_store() as store:
        gauges = Gauges(store, SystemClock())
        journal, inbox = RedisJournal(store), RedisInbox(store)
        for number in range(3):
            await journal.start(f"r{number}", started(BOOK))
        await inbox.put(CancelRun(key="k", at=START, run_id="r0", by=ANA, channel="C1"))
        await RedisBudget(store).take("slack:edits", burst=6, per_s=0.001)
        before = await gauges.read()
        assert (before.lanes["normal"].waiting, before.lanes["normal"].handled) == (3, 0)
        assert before.lanes["intents"].waiting == 1
        assert 0 < before.lanes["normal"].oldest_s < 60
        assert (before.active, before.kept, before.dirty) == (3, 3, 3)
        assert 5 <= before.tokens["edits"] < 5.1

        beaten, in_hand = asyncio.Event(), asyncio.Event()
        work = RedisWork(store, consumer="w1", lease_s=1, concurrency=1, drain_s=0, on_beat=beaten.set)

        async def never(*_):
            in_hand.set()
            await asyncio.Event().wait()

        serving = asyncio.create_task(
            work.serve(WorkHandlers(run=never, intent=ignore, check=ignore, give_up=ignore))
        )
        async with asyncio.timeout(LIMIT_S):
            await beaten.wait()
            await in_hand.wait()
        now = await gauges.read()
        assert (now.lanes["normal"].waiting, now.lanes["normal"].handled) == (2, 1)
        assert now.workers == 1
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
