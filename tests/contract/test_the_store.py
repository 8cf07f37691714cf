"""What the engine relies on holds for the memory twin, for a real Valkey and for a cluster of three alike."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.board import PostedMessage, Topic
from bot.domain.errors import HoldLostError, NotFoundError, StaleEpochError
from bot.domain.intent import CancelRun, Intent
from bot.domain.runs.event import CancelRequested, RunFinished
from bot.domain.runs.runbook import Runbook
from bot.ports.work import Work, WorkHandlers
from tests.support.waiting import LIMIT_S, until
from tests.support.worlds import ANA, START, started

BOOK = Runbook.model_validate(
    {
        "name": "look",
        "summary": "Look.",
        "phases": [
            {
                "kind": "explore",
                "id": "ground",
                "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}],
            }
        ],
    }
)
FACT = CancelRequested(at=START, by=ANA)
END = RunFinished(at=START, outcome="done", summary="Done.")


async def test_a_run_starts_once(ports):
    assert await ports.journal.start("r1", started(BOOK))
    assert not await ports.journal.start("r1", started(BOOK, service="payments"))
    (event,) = await ports.journal.load("r1")
    assert event == started(BOOK)


async def test_each_taking_raises_the_epoch_and_fences_off_the_one_before(ports):
    await ports.journal.start("r1", started(BOOK))
    first = await ports.journal.take("r1")
    second = await ports.journal.take("r1")
    assert (first.epoch, second.epoch) == (1, 2)
    for stale in (
        ports.journal.append("r1", (FACT,), epoch=1),
        ports.journal.park("r1", epoch=1, length=1, until=None),
        ports.journal.finish("r1", (END,), epoch=1),
    ):
        with pytest.raises(StaleEpochError):
            await stale
    assert await ports.journal.load("r1") == (started(BOOK),)
    assert await ports.journal.append("r1", (FACT, FACT), epoch=2) == 3


async def test_a_fact_from_outside_is_refused_when_the_journal_has_grown(ports):
    await ports.journal.start("r1", started(BOOK))
    assert await ports.journal.interject("r1", (FACT,), length=1, wake=False)
    assert not await ports.journal.interject("r1", (FACT,), length=1, wake=False)
    assert len(await ports.journal.load("r1")) == 2


async def test_a_run_does_not_park_over_facts_it_has_not_read(ports):
    await ports.journal.start("r1", started(BOOK))
    taken = await ports.journal.take("r1")
    await ports.journal.interject("r1", (FACT,), length=1, wake=True)
    assert not await ports.journal.park("r1", epoch=taken.epoch, length=1, until=None)
    assert await ports.journal.park("r1", epoch=taken.epoch, length=2, until=None)


async def test_a_finished_run_takes_nothing_more(ports):
    await ports.journal.start("r1", started(BOOK))
    taken = await ports.journal.take("r1")
    await ports.journal.finish("r1", (END,), epoch=taken.epoch)
    assert await ports.journal.take("r1") is None
    assert not await ports.journal.interject("r1", (FACT,), length=2, wake=True)
    with pytest.raises(StaleEpochError):
        await ports.journal.append("r1", (FACT,), epoch=taken.epoch)


async def test_an_unknown_run_is_not_found(ports):
    assert await ports.journal.take("nobody") is None
    assert not await ports.journal.interject("nobody", (FACT,), length=1, wake=True)
    with pytest.raises(StaleEpochError):
        await ports.journal.append("nobody", (FACT,), epoch=1)
    with pytest.raises(NotFoundError):
        await ports.journal.load("nobody")


async def test_the_latest_runs_come_first(ports):
    for number in range(3):
        await ports.journal.start(f"r{number}", started(BOOK))
        await asyncio.sleep(0.005)  # real time: runs are sorted by when they began
    assert await ports.journal.recent(limit=2) == ("r2", "r1")


async def test_the_runs_of_a_runbook_that_have_not_ended_are_all_found_however_many_began_since(
    ports, monkeypatch
):
    monkeypatch.setattr("bot.adapters.redis.stores.journal._AT_ONCE", 3)
    other = BOOK.but(name="other")
    for number in range(10):
        await ports.journal.start(f"r{number}", started(BOOK if number < 4 else other))
    assert set(await ports.journal.unfinished(runbook="look")) == {"r0", "r1", "r2", "r3"}
    for run_id in ("r1", "r2", "r3"):
        taken = await ports.journal.take(run_id)
        if run_id == "r1":
            await ports.journal.finish(run_id, (END,), epoch=taken.epoch)
        elif run_id == "r2":
            await ports.journal.park(run_id, epoch=taken.epoch, length=1, until=None)
    assert set(await ports.journal.unfinished(runbook="look")) == {"r0", "r2", "r3"}
    assert await ports.journal.unfinished(runbook="nothing") == ()


class Heard:
    """What was handed out."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.intents: list[Intent] = []
        self.checks: list[tuple[str, float]] = []
        self.given_up: list[tuple[str, str]] = []
        self.any = asyncio.Event()

    async def on_run(self, run_id: str) -> None:
        self.runs.append(run_id)
        self.any.set()

    async def on_intent(self, intent: Intent) -> None:
        self.intents.append(intent)
        self.any.set()

    async def on_check(self, monitor: str, slot_s: float) -> None:
        self.checks.append((monitor, slot_s))
        self.any.set()

    async def give_up(self, run_id: str, why: str) -> None:
        self.given_up.append((run_id, why))
        self.any.set()

    @property
    def handlers(self) -> WorkHandlers:
        return WorkHandlers(run=self.on_run, intent=self.on_intent, check=self.on_check, give_up=self.give_up)

    async def next(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self.any.wait()
        self.any.clear()


@contextlib.asynccontextmanager
async def serving(work: Work) -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(work.serve(heard.handlers))
    try:
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_starting_waking_and_the_time_each_hand_the_run_out(ports):
    async with serving(ports.work) as heard:
        await ports.journal.start("r1", started(BOOK))
        await heard.next()
        taken = await ports.journal.take("r1")
        await ports.journal.park("r1", epoch=taken.epoch, length=1, until=START + timedelta(minutes=1))
        assert await ports.work.pump(now=START) == 0
        assert await ports.work.pump(now=START + timedelta(minutes=2)) == 1
        await heard.next()
        taken = await ports.journal.take("r1")
        await ports.journal.park("r1", epoch=taken.epoch, length=1, until=START + timedelta(minutes=3))
        await ports.journal.interject("r1", (FACT,), length=1, wake=True)
        await heard.next()
        assert heard.runs == ["r1", "r1", "r1"]
        assert await ports.work.pump(now=START + timedelta(minutes=9)) == 0


async def test_an_intent_is_written_once_for_its_key(ports):
    intent = CancelRun(key="trigger-1", at=START, run_id="r1", by=ANA, channel="C1")
    async with serving(ports.work) as heard:
        assert await ports.inbox.put(intent)
        assert not await ports.inbox.put(intent)
        assert await ports.inbox.put(intent.model_copy(update={"key": "trigger-2"}))
        while len(heard.intents) < 2:
            await heard.next()
    assert [i.key for i in heard.intents] == ["trigger-1", "trigger-2"]


async def test_a_parked_run_can_be_woken_and_no_other(ports):
    await ports.journal.start("r1", started(BOOK))
    assert not await ports.journal.wake("r1")
    async with serving(ports.work) as heard:
        await heard.next()
        taken = await ports.journal.take("r1")
        assert not await ports.journal.wake("r1")
        await ports.journal.park("r1", epoch=taken.epoch, length=1, until=START + timedelta(minutes=1))
        assert await ports.journal.wake("r1")
        await heard.next()
    assert heard.runs == ["r1", "r1"]
    assert await ports.work.pump(now=START + timedelta(minutes=2)) == 0
    assert not await ports.journal.wake("nobody")


@pytest.mark.parametrize("later_s", [120, None])
async def test_the_latest_parking_says_when_a_run_wakes(ports, later_s):
    await ports.journal.start("r1", started(BOOK))
    taken = await ports.journal.take("r1")
    later = None if later_s is None else START + timedelta(seconds=later_s)
    for wakes_at in (START + timedelta(minutes=1), later):
        assert await ports.journal.park("r1", epoch=taken.epoch, length=1, until=wakes_at)
    assert await ports.work.pump(now=START + timedelta(seconds=90)) == 0
    assert await ports.work.pump(now=START + timedelta(seconds=150)) == (later is not None)


async def test_a_wake_up_outlives_a_time_that_was_set_before_it_and_a_parking_that_comes_after(ports):
    await ports.journal.start("r1", started(BOOK))
    taken = await ports.journal.take("r1")
    assert await ports.journal.park("r1", epoch=taken.epoch, length=1, until=START + timedelta(minutes=1))
    assert await ports.journal.wake("r1")
    assert await ports.journal.park("r1", epoch=taken.epoch, length=1, until=None)  # its answer was lost
    assert not await ports.journal.wake("r1")  # it is ready still
    taken = await ports.journal.take("r1")
    assert await ports.journal.park("r1", epoch=taken.epoch, length=1, until=None)
    assert await ports.work.pump(now=START + timedelta(minutes=2)) == 0


TOPIC = Topic(kind="run", id="r1")


async def test_a_changed_run_is_claimed_by_one_renderer_only(ports):
    await ports.journal.start("r1", started(BOOK))
    (hold,) = await ports.board.claim(limit=5, lease_s=5)
    assert hold.topic == TOPIC
    assert await ports.board.claim(limit=5, lease_s=5) == ()
    await ports.board.release(hold)
    assert await ports.board.claim(limit=5, lease_s=5) == ()


async def test_a_change_while_rendering_is_not_lost(ports):
    await ports.board.mark(TOPIC)
    (hold,) = await ports.board.claim(limit=5, lease_s=5)
    await ports.board.mark(TOPIC)
    await ports.board.release(hold)
    assert [again.topic for again in await ports.board.claim(limit=5, lease_s=5)] == [TOPIC]


async def test_a_renderer_that_died_is_replaced_after_its_lease(ports):
    await ports.board.mark(TOPIC)
    await ports.board.claim(limit=5, lease_s=0.05)
    holds = await until(lambda: ports.board.claim(limit=5, lease_s=60), what="a lapsed claim")
    assert [hold.topic for hold in holds] == [TOPIC]


async def test_a_topic_put_off_comes_back_later(ports):
    await ports.board.mark(TOPIC)
    (hold,) = await ports.board.claim(limit=5, lease_s=60)
    await ports.board.release(hold, again_in_s=1)
    assert await ports.board.claim(limit=5, lease_s=60) == ()
    again = await until(lambda: ports.board.claim(limit=5, lease_s=60), what="its turn")
    assert [hold.topic for hold in again] == [TOPIC]


async def test_a_renderer_that_is_late_neither_writes_for_the_next_claim_nor_gives_it_back(ports):
    """Both are in one process, as on a busy machine: the first is at its work while its lease ends."""
    await ports.board.mark(TOPIC)
    (late,) = await ports.board.claim(limit=5, lease_s=0.05)
    (next_one,) = await until(lambda: ports.board.claim(limit=5, lease_s=60), what="a lapsed claim")
    with pytest.raises(HoldLostError):
        await ports.board.record(late, "root", PostedMessage(channel="C1"))
    await ports.board.release(late, again_in_s=0)
    await ports.board.mark(TOPIC)
    assert await ports.board.claim(limit=5, lease_s=5) == ()
    await ports.board.record(next_one, "root", PostedMessage(channel="C1"))
    await ports.board.release(next_one)


async def test_what_is_posted_is_remembered_by_slot(ports):
    await ports.board.mark(TOPIC)
    (hold,) = await ports.board.claim(limit=5, lease_s=5)
    await ports.board.record(hold, "root", PostedMessage(channel="C1"))
    await ports.board.record(hold, "root", PostedMessage(channel="C1", ts="1.2", digest="d"))
    assert await ports.board.posted(TOPIC) == {"root": PostedMessage(channel="C1", ts="1.2", digest="d")}


async def test_a_renderer_that_was_stopped_for_long_writes_nothing_down(ports):
    await ports.board.mark(TOPIC)
    (hold,) = await ports.board.claim(limit=5, lease_s=0.05)
    await asyncio.sleep(0.08)  # real time: its claim has lapsed by then
    with pytest.raises(HoldLostError):
        await ports.board.record(hold, "root", PostedMessage(channel="C1", ts="1.2", digest="old"))
    assert await ports.board.posted(TOPIC) == {}
