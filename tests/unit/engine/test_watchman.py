"""A monitor looks, tells once an episode, and takes silence for what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.change import Change
from bot.domain.monitoring.monitor import Monitor, Pause
from bot.services.monitor_runner import MonitorRunner
from tests.support.worlds import ANA, BENCH

NAME = "checkout/errors"


def monitor(**more):
    return Monitor.model_validate(
        {"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5", "every": "60s", **more}
    )


class Post:
    """A watchman with its surroundings, and a clock that moves from slot to slot."""

    def __init__(self, world, **more):
        service = Service(name="checkout", channel="checkout-oncall", monitors=(monitor(**more),))
        self.world, self.book = world, world.stores.monitors
        self.deps = replace(world.deps, catalogue=Catalogue(services=(service,)))
        self.alerts = world.stores.alerts
        self.watchman = MonitorRunner(self.deps)

    async def look(self, value=None, *, seconds=60):
        self.world.clock.forward(seconds)
        BENCH.down = {"value"} if value is None else set()
        BENCH.value = value or 0
        await self.watchman.check(NAME, self.world.clock.now().timestamp())
        return (await self.book.states((NAME,)))[NAME]

    def told(self):
        return [(alert.status, alert.starts_at) for alert in self.alerts._alerts.values()]


async def test_a_breach_is_told_once_an_episode_and_so_is_its_end(world):
    post = Post(world)
    assert (await post.look(1)).watched.health == "ok"
    began = world.clock.now() + timedelta(seconds=60)
    for value in (9, 9, 9):
        assert (await post.look(value)).watched.health == "firing"
    assert post.told() == [("firing", began)]
    await post.look(1)
    assert post.told() == [("resolved", began)]
    await post.look(9)
    assert [status for status, _ in post.told()] == ["resolved", "firing"]


async def test_a_breach_must_last_before_it_is_told(world):
    post = Post(world, **{"for": "2m"})
    assert (await post.look(9)).watched.health == "breaching"
    assert (await post.look(9)).watched.health == "breaching"
    assert post.told() == []
    assert (await post.look(9)).watched.health == "firing"


async def test_what_cannot_be_measured_for_long_is_told_and_is_never_well(world):
    post = Post(world, unknown_for="2m")
    await post.look(1)
    assert (await post.look(None)).watched.health == "unmeasured"
    assert post.told() == []
    await post.look(None)
    state = await post.look(None)
    assert state.watched.health == "unknown"
    (alert,) = post.alerts._alerts.values()
    assert alert.unknown


async def test_looking_twice_at_a_slot_tells_and_keeps_nothing_more(world):
    post = Post(world)
    state = await post.look(9)
    BENCH.value = 1
    await post.watchman.check(NAME, world.clock.now().timestamp())
    await post.watchman.check(NAME, world.clock.now().timestamp() - 60)
    assert (await post.book.states((NAME,)))[NAME] == state


async def test_an_episode_starts_its_runbook_once(world):
    post = Post(world, then="triage")
    for value in (9, 9, 1, 9):
        await post.look(value)
    started = [world.store._ready.get_nowait() for _ in range(world.store._ready.qsize())]
    assert [(intent.runbook, intent.params, intent.by.name) for intent in started] == [
        ("triage", {"service": "checkout"}, "monitor checkout/errors")
    ] * 2
    assert len({intent.key for intent in started}) == 2


async def test_a_silenced_episode_starts_its_runbook_when_the_silence_ends_and_it_is_still_there(world):
    post = Post(world, then="triage")
    await post.alerts.silence(NAME, by=ANA, until=world.clock.now() + timedelta(minutes=3))
    await post.look(9)
    await post.look(9)
    assert world.store._ready.empty()
    await post.look(9)
    assert world.store._ready.qsize() == 1
    await post.look(9)
    assert world.store._ready.qsize() == 1


async def test_a_paused_monitor_does_not_look_until_its_pause_ends(world):
    post = Post(world)
    until = world.clock.now() + timedelta(minutes=5)
    await post.book.pause(NAME, Pause(by=ANA, at=world.clock.now(), until=until))
    await post.look(9)
    assert post.told() == []
    await post.look(9, seconds=300)
    assert len(post.told()) == 1


async def test_the_watch_after_a_deploy_looks_only_then(world):
    post = Post(world, after_deploy="10m")
    assert (await post.look(9)).watched.health == "new"
    deploy = Change(id="d1", at=world.clock.now(), kind="deploy", service="checkout", summary="1.4.2")
    await post.deps.stores.ledger.record(deploy)
    assert (await post.look(9)).watched.health == "firing"
    before = (await post.book.states((NAME,)))[NAME]
    assert await post.look(1, seconds=660) == before


async def test_a_check_that_is_overtaken_by_newer_ones_is_left_out(world):
    post = Post(world)
    await post.watchman.check(NAME, world.clock.now().timestamp() - 121)
    assert BENCH.calls == []
    assert post.told() == []


@pytest.mark.parametrize(
    ("expect", "text"), [("result.nothing < 5", "not comparable"), ("result.value < 5", "0 errors")]
)
async def test_a_look_by_hand_keeps_nothing(world, expect, text):
    post = Post(world, expect=expect)
    looked = await post.watchman.look(NAME)
    assert text in looked.text
    assert (await post.book.states((NAME,)))[NAME].watched.health == "new"
