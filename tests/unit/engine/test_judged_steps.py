"""A step under judgement: it passes, is stopped and taken back, or is put to people, who may steer it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import IdentityUnknownError
from bot.domain.rollouts.canary import MetricReading
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.event import RolloutSteered
from bot.engine.engine import Engine
from bot.engine.phases.canary_analysis import CanaryAnalysis
from tests.support.worlds import ANA, BEN, BENCH
from tests.unit.engine.small_world import UNDO, act, book, fix

JUDGE = {
    "every_s": 0.001,
    "for_s": 5,
    "metrics": [
        {"probe": "worlds.measure", "with": {}, "rule": {"kind": "limit", "name": "a", "at_most": 1}}
    ],
}
CANARY = book(fix(act("shift", undo=UNDO, judge=JUDGE), act("promote", undo=UNDO)))


def verdict(decision):
    return CanaryVerdict(
        decision=decision, reason="test", text=f"{decision}!", score=None, decided_by=(), metrics=()
    )


def judging(world, *decisions, after=None):
    """A judge that says these, the last one for ever; ``after`` is called at each look with its number."""
    said = []

    def judge(case):
        said.append(case)
        world.clock.forward(1)
        if after is not None:
            after(len(said))
        return verdict(decisions[min(len(said), len(decisions)) - 1])

    world.deps = replace(world.deps, judge=judge)
    world.engine = Engine(world.deps)
    return said


def done():
    return [effect.partition(":")[0] for effect in BENCH.effects]


async def begin(world):
    run = await world.begin(CANARY, service="checkout")
    await world.vote(run, BEN)


async def test_a_good_canary_goes_on(world):
    judging(world, "ask", "proceed")
    await begin(world)
    run = await world.go()
    assert done() == ["shift", "promote"]
    assert run.phases["fix"].steps["judge:shift"].verdict.decision == "proceed"
    assert len(run.phases["fix"].steps["judge:shift"].readings) == 2


async def test_a_bad_canary_is_taken_back_and_says_why(world):
    judging(world, "ask", "stop")
    await begin(world)
    run = await world.go()
    assert done() == ["shift", "undo-shift"]
    assert "the judge stopped it: stop!" in run.phases["fix"].why


async def test_what_the_judge_cannot_decide_is_put_to_a_person_and_nothing_passes_in_silence(world):
    looks = judging(world, "ask")
    await begin(world)
    run = await world.go()
    (asked,) = [gate for gate in run.approvals.values() if gate.step == "judge:shift"]
    assert asked.decision == "expired"
    assert done() == ["shift", "undo-shift"]
    assert len(looks) > 1000  # it went on looking all the time


async def test_those_who_may_decide_for_the_judge_are_looked_up_and_reminded_once(world):
    judging(world, "ask")
    await begin(world)
    await world.go()
    kinds = [event.type for event in await world.store.load("r1")]
    assert kinds.count("approvers_found") == 2  # for the plan, and for the judge's question
    assert kinds.count("approval_reminded") == 1
    (asked,) = [gate for gate in (await world.read()).approvals.values() if gate.step]
    assert asked.audience.groups == {"S0ONCALL01": "oncall"}
    assert asked.remind_at <= asked.reminded_at < asked.expires_at


async def test_a_directory_that_does_not_answer_keeps_the_judge_looking_and_is_asked_again_later(world):
    looks = judging(world, "ask")
    await begin(world)
    original, fails = world.people.members_of, []

    async def members_of(group):
        if len(fails) < 3:
            fails.append(len(looks))
            raise IdentityUnknownError("The directory cannot be asked.")
        return await original(group)

    world.people.members_of = members_of
    await world.go()
    (asked,) = [gate for gate in (await world.read()).approvals.values() if gate.step]
    assert asked.audience is not None
    first, second, third = fails
    assert (second - first, third - second) == (15, 15)  # a look a second, and a try each 15 s


@pytest.mark.parametrize(
    ("then", "effects"), [("proceed", ["shift", "promote"]), ("stop", ["shift", "undo-shift"])]
)
async def test_what_the_judge_decides_after_all_needs_nobody_any_more(world, then, effects):
    judging(world, *["ask"] * 10, then)
    await begin(world)
    run = await world.go()
    (asked,) = [gate for gate in run.approvals.values() if gate.step == "judge:shift"]
    assert asked.decision == "cancelled"
    assert done() == effects


@pytest.mark.parametrize(
    ("word", "effects"), [("promote", ["shift", "promote"]), ("abort", ["shift", "undo-shift"])]
)
async def test_a_person_may_promote_or_abort_at_any_look(world, word, effects):
    async def steer():
        run = await world.read()
        said = RolloutSteered(at=world.clock.now(), by=ANA, word=word, key="click")
        assert await world.store.interject("r1", (said,), length=run.length, wake=False)

    judging(world, "ask")

    class Once:
        told = False

    original = world.store.append

    async def append(run_id, events, *, epoch):
        length = await original(run_id, events, epoch=epoch)
        if not Once.told and any(event.type == "judged" for event in events):
            Once.told = True
            await steer()
        return length

    world.store.append = append
    await begin(world)
    await world.go()
    assert done() == effects


async def test_another_worker_judges_on_with_what_was_read(world):
    def die(number):
        if number == 3:
            raise RuntimeError("the worker dies")

    judging(world, "ask", after=die)
    await begin(world)
    with pytest.raises(RuntimeError):
        await world.go()
    read = len((await world.read()).phases["fix"].steps["judge:shift"].readings)
    looks = judging(world, "proceed")
    await world.go()
    assert read >= 1
    assert len(looks[0].metrics[0].values) == read + 1
    assert done() == ["shift", "promote"]


COUNTS = {
    "every_s": 0.001,
    "for_s": 5,
    "metrics": [{"probe": "worlds.measure", "with": {}, "rule": {"kind": "counts", "name": "errors"}}],
}


async def test_counters_are_judged_since_the_first_share_and_not_anew_at_each(world, monkeypatch):
    counted = iter(range(100, 10_000, 100))

    async def read(self, metric):
        requests = next(counted)
        return MetricReading(
            data={side: {"requests": requests, "errors": 0} for side in ("canary", "stable")}
        )

    monkeypatch.setattr(CanaryAnalysis, "_read", read)
    cases = judging(world, "ask", "proceed", "ask", "proceed")
    two_shares = book(fix(act("five", undo=UNDO, judge=COUNTS), act("fifty", undo=UNDO, judge=COUNTS)))
    run = await world.begin(two_shares, service="checkout")
    await world.vote(run, BEN)
    await world.go()
    seen = [[look.canary.requests for look in case.metrics[0].looks] for case in cases]
    assert seen == [[100], [100, 200], [100, 200, 300], [100, 200, 300, 400]]
    seconds = [look.at_s for look in cases[-1].metrics[0].looks]
    assert seconds == sorted(seconds)
    assert seconds[2] > seconds[1]
