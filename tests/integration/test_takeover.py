"""Work that a dead worker left behind is done by another, on a real Valkey."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bot.adapters.redis.lanes import lanes_of
from bot.adapters.redis.liveness import Liveness
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.work import RedisWork
from bot.domain.errors import BusyError
from bot.domain.intent import CancelRun, StartRun
from bot.domain.runs.event import Origin
from bot.domain.runs.runbook import Runbook
from bot.ports.work import WorkHandlers
from tests.support.waiting import LIMIT_S, until
from tests.support.worlds import ANA, START, started

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
async def serving(work, on_run, on_intent=None, give_up=None):
    handlers = WorkHandlers(
        run=on_run, intent=on_intent or nothing, check=nothing, give_up=give_up or nothing
    )
    task = asyncio.create_task(work.serve(handlers))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def nothing(*_):
    """Handle nothing."""


async def forever(*_):
    """Handle something that does not end."""
    await asyncio.Event().wait()


async def test_a_worker_that_died_before_its_first_beat_loses_nothing(store):
    heir = RedisWork(store, consumer="heir", lease_s=0.4)
    seen = asyncio.Queue()
    shard = store.keys.shared

    async def listens():
        return await store.client.exists(shard.queue("urgent"), shard.inbox) == 2

    async with serving(heir, nothing):
        await until(listens, what="a worker that listens to every queue")
    await RedisJournal(store).start("r1", started(BOOK))
    await RedisInbox(store).put(CancelRun(key="k", at=START, run_id="r1", by=ANA, channel="C1"))
    for stream in (shard.queue("urgent"), shard.inbox):
        taken = await store.client.xreadgroup("workers", "dead", {stream: ">"}, count=1)
        assert taken
    async with serving(RedisWork(store, consumer="heir-2", lease_s=0.4), seen.put, seen.put):
        async with asyncio.timeout(LIMIT_S):
            got = [await seen.get(), await seen.get()]
    assert "r1" in got
    assert [intent.key for intent in got if not isinstance(intent, str)] == ["k"]


async def watching_a_quiet_worker(store):
    """Have a worker that holds a run and beats no more; returns the heir, whose lease is 0.3 s."""
    shard, lanes = store.keys.shared, lanes_of(store.keys, runs=1, checks=1)
    (lane,) = (x for x in lanes if x.stream == shard.queue("urgent"))
    await store.client.xgroup_create(lane.stream, "workers", id="0", mkstream=True)
    await RedisJournal(store).start("r1", started(BOOK))
    await store.client.xreadgroup("workers", "quiet", {lane.stream: ">"}, count=1)
    await store.client.hset(shard.beats, "quiet", 1)
    return Liveness(store, shard=shard, lanes=(lane,), consumer="heir", lease_s=0.3)


async def test_a_worker_on_a_busy_machine_that_looks_seldom_still_takes_over(store):
    watching = await watching_a_quiet_worker(store)
    left = []
    for _ in range(5):
        left += await watching.left_behind(())
        await asyncio.sleep(0.2)  # real time: longer than half a lease, every time
    assert [fields for _, _, fields, _ in left][:1] == [{"run": "r1"}]


async def test_time_in_which_nobody_could_look_is_no_sign_of_death(store):
    watching = await watching_a_quiet_worker(store)
    assert await watching.left_behind(()) == []
    await asyncio.sleep(0.4)  # real time: longer than a lease, in which nobody could beat
    assert await watching.left_behind(()) == []
    left = await until(lambda: watching.left_behind(()), what="a lease watched in full")
    assert [fields for _, _, fields, _ in left] == [{"run": "r1"}]


async def test_a_worker_that_keeps_beating_keeps_its_work(store):
    busy, other = asyncio.Event(), asyncio.Queue()

    async def long(_):
        busy.set()
        await asyncio.sleep(1.5)  # real time: work for longer than three leases

    async with (
        serving(RedisWork(store, consumer="busy", lease_s=0.4), long),
        contextlib.AsyncExitStack() as stack,
    ):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(LIMIT_S):
            await busy.wait()
        await stack.enter_async_context(serving(RedisWork(store, consumer="idle", lease_s=0.4), other.put))
        await asyncio.sleep(1)  # real time: two leases, in which whoever looks dead is taken over
        assert other.empty()


async def test_a_run_that_always_fails_is_ended_and_kept_for_a_person(store):
    tries, ended = 0, asyncio.Queue()

    async def fail(_):
        nonlocal tries
        tries += 1
        raise RuntimeError("broken")

    async def give_up(run_id, why):
        await ended.put((run_id, why))

    async with serving(RedisWork(store, consumer="one", lease_s=0.05), fail, give_up=give_up):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(LIMIT_S):
            assert await ended.get() == ("r1", "it failed 5 times in a row")
        dead = await until(lambda: store.client.xrange(store.keys.shared.dead), what="a dead letter")
    assert tries == 5
    assert dead[0][1]["work"] == '{"run": "r1"}'
    assert await store.client.xlen(store.keys.shared.queue("urgent")) == 0


async def test_a_run_that_kills_its_workers_is_not_handed_on_for_ever(store):
    shard, tried, ended = store.keys.shared, asyncio.Queue(), asyncio.Queue()
    await RedisJournal(store).start("r1", started(BOOK))
    stream = shard.queue("urgent")
    await store.client.xgroup_create(stream, "workers", id="0")
    await store.client.xreadgroup("workers", "dead-0", {stream: ">"}, count=1)
    for number in range(1, 5):
        pending = await store.client.xpending_range(stream, "workers", "-", "+", 1)
        await store.client.xclaim(stream, "workers", f"dead-{number}", 0, [pending[0]["message_id"]])
    async with serving(RedisWork(store, consumer="heir", lease_s=0.2), tried.put, give_up=_putting(ended)):
        async with asyncio.timeout(LIMIT_S):
            assert await ended.get() == "r1"
    assert tried.empty()


def _putting(queue):
    async def put(run_id, _why):
        await queue.put(run_id)

    return put


async def test_a_store_out_of_reach_is_no_failure_of_the_work(store):
    tries, done = 0, asyncio.Event()

    async def unreachable_at_first(_):
        nonlocal tries
        tries += 1
        if tries <= 7:
            raise ConnectionError("no route to the store")
        done.set()

    ended = asyncio.Queue()
    work = RedisWork(store, consumer="one", lease_s=0.02)
    async with serving(work, unreachable_at_first, give_up=_putting(ended)):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(LIMIT_S):
            await done.wait()
    assert tries == 8  # three times more often than work may fail
    assert ended.empty()
    assert await store.client.xlen(store.keys.shared.dead) == 0


async def test_what_is_under_way_when_a_worker_is_told_to_end_is_handed_over_at_once(store):
    begun, heard = asyncio.Event(), asyncio.Queue()

    async def slow(_):
        begun.set()
        await forever()

    async with serving(RedisWork(store, consumer="old", lease_s=600, drain_s=0.05), slow):
        await RedisJournal(store).start("r1", started(BOOK))
        async with asyncio.timeout(LIMIT_S):
            await begun.wait()
    async with serving(RedisWork(store, consumer="new", lease_s=600), heard.put):
        async with asyncio.timeout(LIMIT_S):
            assert await heard.get() == "r1"
    assert await store.client.hgetall(store.keys.shared.beats) == {}


async def test_a_message_whose_delivery_was_lost_on_the_way_is_found_by_its_own_worker(store):
    heard = asyncio.Queue()
    async with serving(RedisWork(store, consumer="one", lease_s=0.2), heard.put):
        stream = store.keys.shared.queue("urgent")
        await store.client.xadd(stream, {"run": "r0"})
        async with asyncio.timeout(LIMIT_S):
            assert await heard.get() == "r0"  # the readers are there
    await RedisJournal(store).start("r1", started(BOOK))
    await store.client.xreadgroup("workers", "two", {stream: ">"}, count=1)  # nobody reads this answer
    async with serving(RedisWork(store, consumer="two", lease_s=0.2), heard.put):
        async with asyncio.timeout(LIMIT_S):
            assert await heard.get() == "r1"


async def test_a_run_whose_message_is_gone_is_queued_again_once(store):
    journal, work, heard = RedisJournal(store), RedisWork(store, consumer="one", lease_s=1), asyncio.Queue()
    await journal.start("lost", started(BOOK))
    await journal.start("parked", started(BOOK))
    taken = await journal.take("parked")
    await journal.park("parked", epoch=taken.epoch, length=1, until=None)
    await store.client.delete(store.keys.shared.queue("urgent"))
    assert await work.reconcile() == 1
    assert await work.reconcile() == 0
    async with serving(work, heard.put):
        async with asyncio.timeout(LIMIT_S):
            assert await heard.get() == "lost"


async def test_a_queue_that_was_deleted_under_the_workers_is_made_anew(store):
    journal, work, heard = RedisJournal(store), RedisWork(store, consumer="one", lease_s=0.2), asyncio.Queue()
    async with serving(work, heard.put):
        await store.client.delete(store.keys.shared.queue("urgent"), store.keys.shared.inbox)
        await journal.start("r1", started(BOOK))
        async with asyncio.timeout(LIMIT_S):

            async def found():
                await work.reconcile()
                return not heard.empty()

            await until(found, what="the run that was lost")
            assert await heard.get() == "r1"


async def test_what_is_urgent_never_waits_behind_what_is_not(store):
    journal, inbox = RedisJournal(store), RedisInbox(store)
    heard = asyncio.Queue()

    async def carry(run_id):
        await heard.put(run_id)
        if run_id.startswith("report"):
            await forever()

    async with serving(
        RedisWork(store, consumer="one", lease_s=5, concurrency=2, drain_s=0), carry, on_intent=heard.put
    ):
        reports = BOOK.model_copy(update={"lane": "normal"})
        for number in range(5):
            await journal.start(f"report-{number}", started(reports))
        async with asyncio.timeout(LIMIT_S):
            assert {await heard.get(), await heard.get()} == {"report-0", "report-1"}  # no slot is left
            await journal.start("rollback", started(BOOK))
            assert await heard.get() == "rollback"
            click = CancelRun(key="k", at=START, run_id="r1", by=ANA, channel="C1")
            await inbox.put(click)
            assert await heard.get() == click
        assert heard.empty()


async def test_a_new_run_is_refused_when_it_would_be_late_but_a_click_is_not(store):
    inbox = RedisInbox(store, most_waiting=2)
    ask = StartRun(key="k1", at=START, runbook="triage", params={}, by=ANA, origin=Origin(kind="command"))
    assert await inbox.put(ask)
    assert await inbox.put(ask.model_copy(update={"key": "k2"}))
    with pytest.raises(BusyError):
        await inbox.put(ask.model_copy(update={"key": "k3"}))
    assert not await inbox.put(ask)  # a redelivery is known, not refused
    assert await inbox.put(CancelRun(key="k4", at=START, run_id="r1", by=ANA, channel="C1"))


async def test_a_server_that_restarts_and_forgets_its_scripts_is_served_on(store):
    journal = RedisJournal(store)
    await journal.start("r1", started(BOOK))
    await store.client.script_flush()
    taken = await journal.take("r1")
    assert taken.epoch == 1
