"""What runs do is counted from the facts they write, and counting never fails a run."""

from __future__ import annotations

import dataclasses

import pytest

from bot.adapters.observability.meters import Meters
from bot.adapters.observability.observed import ObservedBudget, ObservedJournal, Observers
from bot.domain.errors import StaleEpochError
from bot.engine.engine import Engine
from tests.support.worlds import BEN, BENCH, started
from tests.unit.engine.small_world import act, approved, book, fix, step


@pytest.fixture
def meters(world):
    meters = Meters()
    observe(world, meters)
    return meters


def observe(world, *observers):
    journal = ObservedJournal(world.store, Observers(*observers))
    world.deps = dataclasses.replace(world.deps, stores=dataclasses.replace(world.stores, journal=journal))
    world.engine = Engine(world.deps)
    world.store = journal


def value(meters, name, **labels):
    return meters.registry.get_sample_value(f"pilothouse_{name}", labels)


async def test_a_run_its_steps_and_its_length_are_counted_once(world, meters):
    BENCH.down.add("b")
    run = await world.begin(
        book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]}, fix(act("go")))
    )
    world.clock.forward(100)
    assert (await world.vote(run, BEN)).state == "running"
    assert (await world.go()).outcome == "done"
    assert value(meters, "runs_started_total", runbook="story") == 1
    assert value(meters, "runs_finished_total", runbook="story", outcome="done") == 1
    assert value(meters, "run_duration_seconds_sum", runbook="story") == 100
    assert value(meters, "steps_total", plugin="worlds.read", outcome="ok") == 1
    assert value(meters, "steps_total", plugin="worlds.read", outcome="unavailable") == 1
    assert value(meters, "steps_total", plugin="worlds.act", outcome="ok") == 1
    assert value(meters, "step_duration_seconds_count", plugin="worlds.read") == 2
    assert value(meters, "run_deliveries_total") == 2
    assert value(meters, "runs_carried") == 0


async def test_the_steps_of_each_item_and_of_a_remedy_are_counted_under_their_plugins(world, meters):
    each = step("each", for_each="['a', 'b', 'c']")
    await approved(world, {"kind": "fan_out", "id": "look", "steps": [each]}, fix(act("go"), act("on")))
    assert value(meters, "steps_total", plugin="worlds.read", outcome="ok") == 3
    assert value(meters, "steps_total", plugin="worlds.act", outcome="ok") == 2
    assert value(meters, "steps_total", plugin="other", outcome="ok") is None


async def test_a_write_that_comes_too_late_is_counted_and_still_refused(world, meters):
    await world.store.start("r1", started(book({"kind": "explore", "id": "g", "steps": [step("a")]})))
    old = await world.store.take("r1")
    await world.store.take("r1")
    with pytest.raises(StaleEpochError):
        await world.store.append("r1", (), epoch=old.epoch)
    assert value(meters, "stale_writes_total") == 1


class Broken:
    """An observer of which everything fails."""

    def __getattr__(self, name):
        raise RuntimeError(name)


async def test_an_observer_that_fails_fails_no_run_and_silences_no_other(world):
    meters = Meters()
    observe(world, Broken(), meters)
    run = await world.begin(book({"kind": "explore", "id": "g", "steps": [step("a")]}))
    assert run.outcome == "done"
    assert value(meters, "runs_finished_total", runbook="story", outcome="done") == 1


class Stingy:
    """A budget that grants nothing."""

    async def take(self, name, *, burst, per_s):
        return 1.5


async def test_all_channels_are_one_bucket_so_that_the_labels_stay_few():
    meters = Meters()
    budget = ObservedBudget(Stingy(), meters.asked_budget)
    for name in ("slack:posts:C1", "slack:posts:C2", "slack:edits:urgent"):
        assert await budget.take(name, burst=1, per_s=1) == 1.5
    assert value(meters, "slack_budget_requests_total", bucket="posts", answer="wait") == 2
    assert value(meters, "slack_budget_wait_seconds_total", bucket="posts") == 3
    assert value(meters, "slack_budget_requests_total", bucket="edits_urgent", answer="wait") == 1
