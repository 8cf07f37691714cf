"""What people ask of monitors is done once, by members only, and answered to whoever asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue, Service
from bot.domain.intent import MuteMonitor, PauseMonitor, ResumeMonitor, TryMonitor, UnmuteMonitor
from bot.domain.monitoring.monitor import Monitor
from bot.services.intent_handler import IntentHandler
from bot.services.monitor_runner import MonitorRunner
from tests.support.worlds import ANA, BEN, BENCH
from tests.unit.engine.small_world import World

NAME = "checkout/errors"
MONITOR = Monitor.model_validate({"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"})


@dataclass
class Counter:
    """A desk with one monitor, and what it told."""

    world: World
    desk: IntentHandler
    watchman: MonitorRunner

    async def ask(self, kind, *, key="k", by=ANA, name=NAME, at=None, **more):
        at = at or self.world.clock.now()
        await self.desk.handle(kind(key=key, at=at, name=name, by=by, channel="C1", thread="1.0", **more))
        notice = self.world.told.notices[-1]
        assert (notice.user, notice.channel, notice.thread) == (by.id, "C1", "1.0")
        return notice.text

    async def state(self):
        return (await self.world.stores.monitors.states((NAME,)))[NAME]


@pytest.fixture
def counter(world):
    catalogue = Catalogue(services=(Service(name="checkout", monitors=(MONITOR,)),))
    deps = replace(world.deps, catalogue=catalogue)
    desk = IntentHandler(deps, directory=world.people, notifier=world.told)
    return Counter(world, desk, MonitorRunner(deps))


async def test_a_pause_ends_by_itself_and_counts_from_when_it_was_asked_for(counter):
    asked = counter.world.clock.now()
    counter.world.clock.forward(60)
    for _ in range(2):  # delivered twice
        told = await counter.ask(PauseMonitor, at=asked, seconds=7200)
    assert "paused until 2026-03-04 05:00 UTC" in told
    state = await counter.state()
    assert state.pause.by == ANA
    assert state.paused(now=asked + timedelta(seconds=7199))
    assert not state.paused(now=asked + timedelta(seconds=7200))


async def test_a_paused_monitor_does_not_look_until_somebody_resumes_it(counter):
    assert f"until someone runs `/monitor resume {NAME}`" in await counter.ask(PauseMonitor)
    counter.world.clock.forward(86_400)
    await counter.watchman.check(NAME, counter.world.clock.now().timestamp())
    assert (await counter.state()).watched.health == "new"
    assert "is checking again" in await counter.ask(ResumeMonitor, by=BEN)
    await counter.watchman.check(NAME, counter.world.clock.now().timestamp())
    assert (await counter.state()).watched.health == "ok"
    assert "was not paused" in await counter.ask(ResumeMonitor)


async def test_a_muted_monitor_is_silenced_by_name_and_its_message_says_so(counter):
    BENCH.value = 9
    await counter.watchman.check(NAME, counter.world.clock.now().timestamp())
    (alert,) = await counter.world.stores.alerts.firing()
    board, topic = counter.world.store.board, Topic(kind="alert", id=alert.id)
    for hold in await board.claim(limit=9, lease_s=9):
        await board.release(hold)
    assert "muted until 2026-03-04 04:00 UTC" in await counter.ask(MuteMonitor, seconds=3600)
    until = counter.world.clock.now() + timedelta(hours=1)
    assert await counter.world.stores.alerts.silence_of(NAME) == (ANA, until)
    (hold,) = await board.claim(limit=9, lease_s=9)
    assert hold.topic == topic
    await board.release(hold)
    assert "is no longer muted" in await counter.ask(UnmuteMonitor)
    assert await counter.world.stores.alerts.silence_of(NAME) is None
    assert [hold.topic for hold in await board.claim(limit=9, lease_s=9)] == [topic]
    assert "was not muted" in await counter.ask(UnmuteMonitor)


@pytest.mark.parametrize(
    ("value", "down", "says"),
    [
        (1, set(), "🟢 It holds: `checkout/errors` saw 1 errors"),
        (9, set(), "🔴 It does not hold: `checkout/errors` saw 9 errors"),
        (0, {"value"}, "🟠 It could not be measured: `checkout/errors` saw not measured"),
    ],
)
async def test_a_trial_tells_what_it_saw_and_leaves_no_trace(counter, value, down, says):
    BENCH.value, BENCH.down = value, down
    before = await counter.state()
    told = await counter.ask(TryMonitor)
    assert says in told
    assert "Expected: `result.value &lt; 5`" in told
    assert await counter.state() == before
    assert await counter.world.stores.alerts.firing() == ()


async def test_a_guest_changes_nothing_and_is_told_why(counter):
    counter.world.people.outsiders.add(BEN.id)
    assert "you are a guest" in await counter.ask(PauseMonitor, by=BEN)
    assert (await counter.state()).pause is None


async def test_a_monitor_that_left_the_catalogue_is_told_to_be_gone(counter):
    assert "no longer has a monitor `checkout/old`" in await counter.ask(PauseMonitor, name="checkout/old")
