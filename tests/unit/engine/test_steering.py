"""People steer a rollout under way: anybody may stop it, only an approver who did not ask may push it on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.domain.diagnoses.diagnosis import ReducerResult
from bot.domain.intent import SteerRun
from bot.domain.people import Person
from bot.engine.engine import Engine
from tests.support.worlds import ANA, BEN, BENCH
from tests.unit.engine.small_world import UNDO, act, book, fix, step
from tests.unit.engine.test_judged_steps import JUDGE, begin, done, judging

GUEST = Person(id="U0GUEST", name="gus")


async def say(world, word, *, by=BEN, key="click", run_id="r1"):
    intent = SteerRun(
        key=key, at=world.clock.now(), run_id=run_id, word=word, by=by, channel="C1", thread="1"
    )
    await world.desk.handle(intent)


def at_look(world, number, then):
    """Do something while the judge makes its look of that number."""
    looks = []
    original = world.store.append

    async def append(run_id, events, *, epoch):
        length = await original(run_id, events, epoch=epoch)
        for _ in (event for event in events if event.type == "judged"):
            looks.append(run_id)
            if len(looks) == number:
                await then()
        return length

    world.store.append = append


@pytest.mark.parametrize(
    ("word", "by", "effects"),
    [
        ("abort", ANA, ["shift", "undo-shift"]),
        ("abort", BEN, ["shift", "undo-shift"]),
        ("promote", BEN, ["shift", "promote"]),
    ],
)
async def test_a_word_counts_at_the_next_look(world, word, by, effects):
    judging(world, "ask")
    at_look(world, 2, lambda: say(world, word, by=by))
    await begin(world)
    await world.go()
    assert done() == effects


@pytest.mark.parametrize("word", ["promote", "resume"])
async def test_who_asked_for_it_cannot_push_it_past_the_judge(world, word):
    judging(world, "ask", "ask", "ask", "proceed")
    at_look(world, 1, lambda: say(world, word, by=ANA))
    await begin(world)
    run = await world.go()
    assert "You asked for this" in world.told.notices[-1].text
    assert run.steering.promoted_by is None
    assert run.steering.keys == frozenset()


async def test_whoever_is_no_approver_cannot_push_it_on(world):
    judging(world, "ask", "proceed")

    async def no_longer_on_call():
        world.people.groups["oncall"] = {ANA.id}
        await say(world, "promote", by=BEN)

    at_look(world, 1, no_longer_on_call)
    await begin(world)
    await world.go()
    assert "Only members of @oncall" in world.told.notices[-1].text


async def test_a_pause_holds_what_the_judge_would_pass_until_an_approver_resumes_it(world):
    looks = judging(world, "ask", "proceed")
    at_look(world, 1, lambda: say(world, "pause", by=ANA, key="a"))
    at_look(world, 50, lambda: say(world, "resume", by=BEN, key="b"))
    await begin(world)
    run = await world.go()
    assert done() == ["shift", "promote"]
    assert len(looks) in (50, 51)
    assert run.steering.paused_by is None


async def test_a_paused_canary_that_turns_bad_is_stopped_all_the_same(world):
    judging(world, *["ask"] * 5, "stop")
    at_look(world, 1, lambda: say(world, "pause", by=ANA))
    await begin(world)
    await world.go()
    assert done() == ["shift", "undo-shift"]


async def test_the_same_click_twice_is_one_word_and_a_late_one_is_told(world):
    judging(world, "ask")

    async def twice():
        await say(world, "abort", by=ANA)
        await say(world, "abort", by=ANA)

    at_look(world, 1, twice)
    await begin(world)
    await world.go()
    words = [event for event in await world.store.load("r1") if event.type == "steered"]
    assert len(words) == 1
    await say(world, "promote", by=BEN, key="late")
    assert "This rollout has already finished" in world.told.notices[-1].text


class Leases:
    """Leases that tell what was done while one was held."""

    def __init__(self):
        self.during = []

    @asynccontextmanager
    async def hold(self, service):
        before = len(BENCH.effects)
        try:
            yield
        finally:
            self.during.append((service, done()[before:]))

    async def is_held(self, service):
        return False


async def test_under_a_lease_every_step_and_every_undo_happens_while_it_is_held(world):
    leases = Leases()
    judging(world, "ask", "stop")
    world.deps = replace(world.deps, stores=replace(world.stores, leases=leases))
    world.engine = Engine(world.deps)
    leased = book(fix(act("shift", undo=UNDO, judge=JUDGE), act("promote", undo=UNDO), lease=True))
    run = await world.begin(leased, service="checkout")
    assert leases.during == []  # nobody's hand is on it while people are asked
    await world.vote(run, BEN)
    await world.go()
    assert leases.during == [("checkout", ["shift", "undo-shift"])]


async def test_a_rollback_does_not_wait_behind_a_rollout_but_ends_it(world):
    judging(world, "ask")
    back = book(fix(act("rollback", no_undo="it is the way back"), preempts=True), name="rollback")

    async def roll_back():
        run = await world.begin(back, run_id="r2", service="checkout")
        assert run.waiting_for is not None  # aborting asks nobody, rolling back does
        await world.vote(run, BEN, key="k2")

    at_look(world, 2, roll_back)
    await begin(world)
    await world.go()
    assert done() == ["shift", "undo-shift"]
    assert (await world.read()).steering.aborted_by == ANA
    await world.go("r2")
    assert done() == ["shift", "undo-shift", "rollback"]


async def test_a_rollback_goes_before_the_deployments_that_wait(world):
    slow = book(fix(act("a"), act("gated", no_undo="none", approval={}), approval=None))
    assert (await world.begin(slow, "r1")).waiting_for is not None
    for run_id in ("r2", "r3"):
        waits = await world.begin(book(fix(act(run_id, no_undo="x"), approval=None)), run_id)
        assert waits.phases["fix"].behind[0] == "r1"
    back = book(
        fix(act("rollback", no_undo="it is the way back"), preempts=True, approval=None), name="rollback"
    )
    assert (await world.begin(back, "r4")).phases["fix"].behind == ("r1",)
    await world.vote(await world.read("r1"), BEN)
    for run_id in ("r1", "r2", "r3", "r4", "r2", "r3"):
        await world.go(run_id)
    assert done() == ["a", "gated", "rollback", "r2", "r3"]


async def test_what_is_required_and_cannot_be_read_ends_the_run_before_anybody_is_asked(world):
    BENCH.down.add("a")
    run = await world.begin(
        book(
            {"kind": "explore", "id": "look", "required": True, "steps": [step("a")]},
            fix(act("x", no_undo="no")),
        ),
        service="checkout",
    )
    assert run.outcome == "failed"
    assert run.summary.startswith("Nothing was changed: ")
    assert not run.approvals


async def test_a_required_verdict_of_fail_ends_the_run_with_its_reason(world):
    def no_way(given):
        return ReducerResult(verdict="fail", summary="rollback: impossible, because rows are deleted")

    world.deps = replace(world.deps, reducers={**world.deps.reducers, "rollback_safety": no_way})
    world.engine = Engine(world.deps)
    run = await world.begin(
        book(
            {"kind": "explore", "id": "look", "steps": [step("a")]},
            {
                "kind": "reduce",
                "id": "safety",
                "reducer": "rollback_safety",
                "over": ["look"],
                "required": True,
            },
            fix(act("x", no_undo="no")),
        ),
        service="checkout",
    )
    assert (run.outcome, run.summary) == (
        "failed",
        "Nothing was changed: rollback: impossible, because rows are deleted",
    )
    assert not run.approvals
    assert not BENCH.effects
