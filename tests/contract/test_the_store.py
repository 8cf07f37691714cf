"""What the engine relies on holds for the memory twin, for a real Valkey and for a cluster of three alike."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.adapters.memory import MemoryStore
from bot.adapters.memory_alerts import MemoryAlertBook
from bot.adapters.memory_records import MemoryBudget, MemoryLedger, MemoryLocks, MemoryMonitorBook
from bot.adapters.redis.alerts import RedisAlertBook
from bot.adapters.redis.board import RedisBoard
from bot.adapters.redis.inbox import RedisInbox
from bot.adapters.redis.journal import RedisJournal
from bot.adapters.redis.locks import RedisLocks
from bot.adapters.redis.monitors import RedisMonitorBook
from bot.adapters.redis.records import RedisBudget, RedisLedger
from bot.adapters.redis.store import Store
from bot.adapters.redis.work import RedisWork
from bot.domain.alert import Alert
from bot.domain.board import Posted, Topic
from bot.domain.change import Change
from bot.domain.clock import SystemClock
from bot.domain.errors import HoldLostError, NotFoundError, StaleEpochError
from bot.domain.event import CancelRequested, RunFinished
from bot.domain.intent import CancelRun, Intent
from bot.domain.monitor import MonitorState, Pause
from bot.domain.runbook import Runbook
from bot.domain.watching import Watched
from bot.engine.plugins import Ledger
from bot.engine.ports import AlertBook, Board, Budget, Handlers, Inbox, Journal, Locks, MonitorBook, Work
from tests.valkeys import fleet, fresh_store, opened
from tests.worlds import ANA, BEN, START, HandClock, started

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


@dataclass
class Ports:
    """One implementation of every port."""

    journal: Journal
    work: Work
    inbox: Inbox
    board: Board
    alerts: AlertBook
    budget: Budget
    ledger: Ledger
    locks: Locks
    monitors: MonitorBook


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with fleet() as servers:
        yield servers.cluster(3)


@pytest.fixture(params=["memory", "redis", "cluster"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        memory = MemoryStore()
        yield Ports(
            memory,
            memory,
            memory,
            memory.board,
            MemoryAlertBook(),
            MemoryBudget(),
            MemoryLedger(HandClock()),
            MemoryLocks(),
            MemoryMonitorBook(),
        )
        return
    async with _store(request) as store:
        yield Ports(
            RedisJournal(store),
            RedisWork(store, consumer="one", lease_s=1),
            RedisInbox(store),
            RedisBoard(store),
            RedisAlertBook(store),
            RedisBudget(store),
            RedisLedger(store, HandClock()),
            RedisLocks(store),
            RedisMonitorBook(store),
        )


def _store(request: pytest.FixtureRequest) -> contextlib.AbstractAsyncContextManager[Store]:
    """Open a fresh server, or a corner of the cluster that is this test's alone."""
    if request.param == "redis":
        return fresh_store()
    return opened(request.getfixturevalue("cluster"), prefix=secrets.token_hex(4), shards=4)


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
        await asyncio.sleep(0.005)
    assert await ports.journal.recent(limit=2) == ("r2", "r1")


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
    def handlers(self) -> Handlers:
        return Handlers(run=self.on_run, intent=self.on_intent, check=self.on_check, give_up=self.give_up)

    async def next(self) -> None:
        async with asyncio.timeout(5):
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
    for until in (START + timedelta(minutes=1), later):
        assert await ports.journal.park("r1", epoch=taken.epoch, length=1, until=until)
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


async def test_places_are_given_in_the_order_of_asking(ports):
    async def ask(run_id):
        return await ports.locks.acquire("change:checkout", run_id=run_id, most=1)

    assert await ask("a") == ()
    assert await ask("b") == ("a",)
    assert await ask("c") == ("a", "b")
    assert await ask("b") == ("a",)  # asking again changes nothing
    assert await ports.locks.release("a") == ("b",)
    assert await ask("b") == ()
    assert await ask("a") == ("b", "c")  # whoever gave a place back waits behind the others
    assert await ports.locks.release("c") == ()
    assert await ports.locks.release("b") == ("a",)


async def test_several_may_hold_what_has_several_places_and_names_are_apart(ports):
    for run_id in ("a", "b"):
        assert await ports.locks.acquire("read:checkout", run_id=run_id, most=2) == ()
    assert set(await ports.locks.acquire("read:checkout", run_id="c", most=2)) == {"a", "b"}
    assert await ports.locks.acquire("change:checkout", run_id="c", most=1) == ()
    assert await ports.locks.release("b") == ("c",)
    assert await ports.locks.release("b") == ()


async def test_a_slot_is_fired_once_and_none_before_it_later(ports):
    assert await ports.monitors.last_slot(("s/a",)) == {}
    fired = await asyncio.gather(*(ports.monitors.fire("s/a", [60.5, 120.5]) for _ in range(4)))
    assert sorted(fired) == [0, 0, 0, 2]
    assert await ports.monitors.fire("s/a", [60.5, 120.5, 180.5]) == 1
    assert await ports.monitors.fire("s/b", [60.5]) == 1
    assert await ports.monitors.last_slot(("s/a", "s/b", "s/c")) == {"s/a": 180.5, "s/b": 60.5}


async def test_what_a_look_has_shown_is_kept_unless_a_newer_one_was(ports):
    newer = MonitorState(watched=Watched(slot_s=120), value="2")
    older = MonitorState(watched=Watched(slot_s=60), value="1")
    assert await ports.monitors.keep("s/a", newer)
    assert not await ports.monitors.keep("s/a", older)
    assert await ports.monitors.states(("s/a", "s/b")) == {"s/a": newer, "s/b": MonitorState()}


async def test_a_pause_is_kept_apart_from_what_looks_show(ports):
    pause = Pause(by=ANA, at=START, until=START + timedelta(hours=1))
    await ports.monitors.pause("s/a", pause)
    await ports.monitors.keep("s/a", MonitorState(watched=Watched(slot_s=60)))
    state = (await ports.monitors.states(("s/a",)))["s/a"]
    assert (state.pause, state.watched.slot_s) == (pause, 60)
    await ports.monitors.pause("s/a", None)
    assert (await ports.monitors.states(("s/a",)))["s/a"].pause is None


TOPIC = Topic(kind="run", id="r1")


async def test_a_changed_run_is_claimed_by_one_renderer_only(ports):
    await ports.journal.start("r1", started(BOOK))
    assert await ports.board.claim(limit=5, lease_s=5) == (TOPIC,)
    assert await ports.board.claim(limit=5, lease_s=5) == ()
    await ports.board.release(TOPIC)
    assert await ports.board.claim(limit=5, lease_s=5) == ()


async def test_a_change_while_rendering_is_not_lost(ports):
    await ports.board.mark(TOPIC)
    await ports.board.claim(limit=5, lease_s=5)
    await ports.board.mark(TOPIC)
    await ports.board.release(TOPIC)
    assert await ports.board.claim(limit=5, lease_s=5) == (TOPIC,)


async def test_a_renderer_that_died_is_replaced_after_its_lease(ports):
    await ports.board.mark(TOPIC)
    await ports.board.claim(limit=5, lease_s=0.05)
    await asyncio.sleep(0.08)
    assert await ports.board.claim(limit=5, lease_s=5) == (TOPIC,)


async def test_a_topic_put_off_comes_back_later(ports):
    await ports.board.mark(TOPIC)
    await ports.board.claim(limit=5, lease_s=5)
    await ports.board.release(TOPIC, again_in_s=0.05)
    assert await ports.board.claim(limit=5, lease_s=5) == ()
    await asyncio.sleep(0.08)
    assert await ports.board.claim(limit=5, lease_s=5) == (TOPIC,)


async def test_what_is_posted_is_remembered_by_slot(ports):
    await ports.board.record(TOPIC, "root", Posted(channel="C1"))
    await ports.board.record(TOPIC, "root", Posted(channel="C1", ts="1.2", digest="d"))
    assert await ports.board.posted(TOPIC) == {"root": Posted(channel="C1", ts="1.2", digest="d")}


async def test_a_renderer_that_was_stopped_for_long_writes_nothing_down(ports):
    await ports.board.mark(TOPIC)
    await ports.board.claim(limit=5, lease_s=0.05)
    await asyncio.sleep(0.08)
    with pytest.raises(HoldLostError):
        await ports.board.record(TOPIC, "root", Posted(channel="C1", ts="1.2", digest="old"))
    assert await ports.board.posted(TOPIC) == {}


async def test_a_budget_grants_its_burst_and_then_says_how_long_to_wait(ports):
    granted = [await ports.budget.take("post:C1", burst=2, per_s=1) for _ in range(3)]
    assert granted[:2] == [0, 0]
    assert 0 < granted[2] <= 1
    assert await ports.budget.take("post:C2", burst=2, per_s=1) == 0


ALERT = Alert(fingerprint="f1", name="HighErrorRate", service="checkout", status="firing", starts_at=START)


async def test_an_alert_is_news_once_and_a_resolved_one_does_not_fire_again(ports):
    resolved = ALERT.model_copy(update={"status": "resolved", "ends_at": START + timedelta(minutes=1)})
    assert await ports.alerts.report(ALERT)
    assert not await ports.alerts.report(ALERT)
    assert await ports.alerts.report(resolved)
    assert not await ports.alerts.report(ALERT)
    assert await ports.alerts.get(ALERT.id) == resolved
    with pytest.raises(NotFoundError):
        await ports.alerts.get("nobody")


def episode(number: int, *, fingerprint: str = "f1") -> Alert:
    """Make the alert of an episode that began so many minutes later."""
    return ALERT.model_copy(
        update={"fingerprint": fingerprint, "starts_at": START + timedelta(minutes=number)}
    )


def over(alert: Alert) -> Alert:
    return alert.model_copy(update={"status": "resolved", "ends_at": alert.starts_at + timedelta(minutes=1)})


async def test_what_fires_is_listed_newest_first_until_it_is_over(ports):
    first, second, third = (episode(number, fingerprint=f"f{number}") for number in range(3))
    for alert in (second, third, first):
        await ports.alerts.report(alert)
    assert await ports.alerts.firing() == (third, second, first)
    assert await ports.alerts.firing(limit=2) == (third, second)
    await ports.alerts.report(over(second))
    await ports.alerts.report(second)  # a late delivery
    assert await ports.alerts.firing() == (third, first)


async def test_the_first_acknowledgement_wins_and_outlives_every_report(ports):
    await ports.alerts.report(ALERT)
    assert await ports.alerts.acknowledge(ALERT.id, by=ANA, at=START)
    assert not await ports.alerts.acknowledge(ALERT.id, by=BEN, at=START)
    kept = await ports.alerts.get(ALERT.id)
    assert (kept.acknowledged_by, kept.acknowledged_at) == (ANA, START)
    assert not await ports.alerts.report(ALERT)
    assert not await ports.alerts.report(
        kept
    )  # what people decided is no news, nor does it become part of it
    assert await ports.alerts.report(over(ALERT))
    assert (await ports.alerts.get(ALERT.id)).acknowledged_by == ANA
    assert (await ports.alerts.get(ALERT.id)).as_reported() == over(ALERT)
    await ports.alerts.report(episode(5))
    assert (await ports.alerts.get(episode(5).id)).acknowledged_by is None


async def test_a_silence_is_of_a_fingerprint_with_all_its_episodes_and_can_be_ended(ports):
    until = SystemClock().now().replace(microsecond=0) + timedelta(hours=1)
    await ports.alerts.report(ALERT)
    await ports.alerts.silence("f1", by=ANA, until=until + timedelta(hours=1))
    await ports.alerts.silence("f1", by=BEN, until=until)
    assert await ports.alerts.silence_of("f1") == (BEN, until)
    assert await ports.alerts.silence_of("f2") is None
    await ports.alerts.report(episode(1))
    for kept in await ports.alerts.firing():
        assert (kept.silenced_by, kept.silenced_until) == (BEN, until)
    await ports.alerts.unsilence("f1")
    assert await ports.alerts.silence_of("f1") is None
    assert await ports.alerts.get(ALERT.id) == ALERT


async def test_a_silence_ends_by_itself_and_leaves_what_ended_within_it_marked(ports):
    quiet, loud = episode(0), episode(1)
    for alert in (quiet, loud):
        await ports.alerts.report(alert)
    await ports.alerts.silence("f1", by=ANA, until=SystemClock().now() + timedelta(seconds=0.5))
    await ports.alerts.report(over(quiet))
    async with asyncio.timeout(5):
        while await ports.alerts.silence_of("f1") is not None:  # noqa: ASYNC110  # it ends by itself
            await asyncio.sleep(0.02)
    await ports.alerts.report(over(loud))
    assert (await ports.alerts.get(quiet.id)).ended_silenced
    assert not (await ports.alerts.get(loud.id)).ended_silenced


async def test_the_ledger_keeps_a_change_once_and_tells_the_recent_ones(ports):
    change = Change(id="c1", at=START, kind="deploy", service="checkout", summary="1.4.2")
    old = change.model_copy(update={"id": "c0", "at": START - timedelta(hours=3)})
    for kept in (change, old, change):
        await ports.ledger.record(kept)
    assert await ports.ledger.since(service="checkout", seconds=3600) == (change,)
    assert await ports.ledger.since(service="payments", seconds=3600) == ()
