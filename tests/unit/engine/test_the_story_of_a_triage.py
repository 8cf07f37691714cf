"""From the cause to the remedy, its verification and the watch."""

from __future__ import annotations

import pytest

from tests.support.worlds import BENCH
from tests.unit.engine.small_world import UNDO, act, approved, book, fix, step

CHECK = {
    "id": "errors",
    "probe": "worlds.measure",
    "expect": "result.value <= 1",
    "within_s": 0.3,
    "every_s": 0.02,
}


def triage(verdict="cause_found", **check):
    return (
        {"kind": "fan_out", "id": "evidence", "steps": [step("a")]},
        {
            "kind": "reduce",
            "id": "diagnosis",
            "reducer": "rank_causes",
            "over": ["evidence"],
            "with": {"verdict": verdict},
        },
        {
            "kind": "plan",
            "id": "remedy",
            "diagnosis": "diagnosis",
            "remedies": {
                "bad_release": [
                    {
                        "summary": "Roll {{ cause.service }} back from {{ cause.data.version }}",
                        "steps": [act("{{ cause.data.version }}", undo=UNDO) | {"id": "back"}],
                        "verify": [{**CHECK, **check}],
                    }
                ]
            },
        },
        {"kind": "pipeline", "id": "fix", "plan": "remedy", "approval": {}},
        {
            "kind": "background",
            "id": "watch",
            "after": "fix",
            "for_s": "settings.watch_s",
            "every_s": 10,
            "checks": [CHECK],
        },
    )


async def test_the_remedy_of_the_cause_is_approved_applied_verified_and_watched(world):
    run = await approved(world, *triage())
    assert run.phases["remedy"].plan.summary == "Roll checkout back from 1.4"
    assert run.phases["remedy"].plan.steps[0].arguments == {"name": "1.4"}
    assert (run.state, run.phases["fix"].outcome) == ("running", "ok")
    for _ in range(4):
        world.clock.forward(10)
        if await world.store.pump(now=world.clock.now()):
            run = await world.go()
    assert (run.outcome, run.phases["watch"].samples_total) == ("recovered", 3)


async def test_a_fix_that_does_not_help_is_said_not_to_have_helped(world):
    BENCH.value = 5
    run = await approved(world, *triage())
    assert run.outcome == "not_recovered"
    assert len(BENCH.effects) == 1


async def test_recovery_that_cannot_be_measured_is_not_recovery(world):
    BENCH.down.add("value")
    run = await approved(world, *triage())
    assert run.outcome == "not_recovered"
    assert run.phases["fix"].steps["verify:errors"].outcome == "unavailable"


async def test_trouble_that_comes_back_during_the_watch_is_said_and_may_start_a_runbook(world):
    world.books.books["again"] = book({"kind": "explore", "id": "look", "steps": [step("a")]}, name="again")
    phases = triage()
    phases[-1]["on_breach"] = "again"
    await approved(world, *phases)
    BENCH.value = 5
    for _ in range(2):
        world.clock.forward(10)
        await world.store.pump(now=world.clock.now())
        run = await world.go()
    assert run.outcome == "breached"
    assert (await world.read("r1-watch")).params == {"service": "checkout"}


async def test_of_several_checks_the_watch_names_the_bad_ones(world):
    phases = triage()
    calm = {**CHECK, "id": "calm", "title": "Something that is well", "expect": "true"}
    phases[-1]["checks"] = [calm, CHECK]
    await approved(world, *phases)
    BENCH.value = 5
    for _ in range(2):
        world.clock.forward(10)
        await world.store.pump(now=world.clock.now())
        run = await world.go()
    assert run.outcome == "breached"
    why = run.phases["watch"].why
    assert why
    assert "Something that is well" not in why


@pytest.mark.parametrize("trouble", ["bad", "not measured"])
@pytest.mark.parametrize(("lasts", "outcome"), [(True, "breached"), (False, "recovered")])
async def test_a_watch_whose_last_look_was_not_good_looks_on_until_it_is_decided(
    world, trouble, lasts, outcome
):
    phases = triage()
    phases[-1]["for_s"] = 10
    await approved(world, *phases)
    if trouble == "bad":
        BENCH.value = 5
    else:
        BENCH.down.add("value")
    world.clock.forward(10)
    await world.store.pump(now=world.clock.now())
    run = await world.go()
    assert (run.outcome, run.phases["watch"].samples_total) == (None, 1)
    if not lasts:
        BENCH.value = 0.0
        BENCH.down.clear()
    world.clock.forward(10)
    await world.store.pump(now=world.clock.now())
    assert (await world.go()).outcome == outcome


@pytest.mark.parametrize("verdict", ["no_fault_found", "unclear"])
async def test_without_a_cause_nothing_is_proposed(world, verdict):
    run = await world.begin(book(*triage(verdict)))
    assert (run.outcome, run.approvals) == (verdict, {})


async def test_a_watch_beside_the_steps_stops_and_undoes_them(world):
    BENCH.value = 5
    slow = {
        "id": "errors",
        "probe": "worlds.measure",
        "expect": "result.value <= 1",
        "within_s": 2,
        "every_s": 0.05,
    }
    never = {**slow, "expect": "result.value < 0"}
    run = await approved(world, fix(act("a", undo=UNDO), watch=[slow], verify=[never]))
    assert run.phases["fix"].outcome == "breached"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "undo-a"]
