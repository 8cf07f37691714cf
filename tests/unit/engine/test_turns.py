"""At one service one run changes at a time, in the order of asking, and nobody waits for the dead."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.intent import CancelRun
from bot.domain.runs.event import RunFinished
from bot.engine.engine import Engine
from tests.support.worlds import ANA, BEN, BENCH, CHI, started
from tests.unit.engine.small_world import UNDO, act, book, fix, step


def gather(name="evidence"):
    return {"kind": "fan_out", "id": name, "steps": [step("a")]}


def slow_fix(*steps):
    """A pipeline with a gate in the middle, so that the run waits while it holds its place."""
    return fix(*steps[:1], act("gated", no_undo="none", approval={}), *steps[1:])


async def holding(world, run_id="r1"):
    run = await world.begin(book(slow_fix(act("a", undo=UNDO))), run_id)
    await world.vote(run, BEN)
    run = await world.go(run_id)
    assert run.waiting_for.step == "gated"
    return run


async def test_a_second_change_waits_until_the_first_is_done_and_says_for_what(world):
    first = await holding(world)
    second = await world.begin(book(fix(act("b", undo=UNDO))), "r2")
    await world.vote(second, BEN, key="k2")
    second = await world.go("r2")
    assert second.phases["fix"].behind == ("r1",)
    assert len(BENCH.effects) == 1
    await world.vote(first, CHI, key="k3")
    await world.go("r1")
    assert await world.go("r2") != second
    assert (await world.read("r2")).phases["fix"].outcome == "ok"
    assert (await world.read("r2")).phases["fix"].behind == ()


async def test_the_next_in_line_is_woken_at_once(world):
    first = await holding(world)
    second = await world.begin(book(fix(act("b", undo=UNDO))), "r2")
    await world.vote(second, BEN, key="k2")
    await world.go("r2")
    await world.vote(first, CHI, key="k3")
    await world.go("r1")
    assert not await world.store.wake("r2")  # it is ready already


async def test_a_cancelled_run_leaves_the_line(world):
    await holding(world)
    second = await world.begin(book(fix(act("b", undo=UNDO))), "r2")
    await world.vote(second, BEN, key="k2")
    await world.go("r2")
    await world.desk.handle(
        CancelRun(key="k", at=world.clock.now(), run_id="r2", by=ANA, channel="C0CHECKOUT")
    )
    assert (await world.go("r2")).outcome == "cancelled"
    assert await world.deps.stores.locks.acquire("change:checkout", run_id="r3", most=1) == ("r1",)


async def test_what_a_run_held_that_ended_without_giving_it_back_is_free(world):
    await world.begin(book(fix(act("a", undo=UNDO))), "r1")
    await world.deps.stores.locks.acquire("change:checkout", run_id="r1", most=1)
    taken = await world.store.take("r1")
    ended = RunFinished(at=world.clock.now(), outcome="failed", summary="The worker died right after this.")
    await world.store.finish("r1", (ended,), epoch=taken.epoch)
    second = await world.begin(book(fix(act("b", undo=UNDO))), "r2")
    await world.vote(second, BEN)
    assert (await world.go("r2")).phases["fix"].outcome == "ok"


async def test_a_run_that_is_given_up_gives_its_place_back_and_says_so(world):
    await holding(world)
    await world.engine.give_up("r1", "it failed 5 times in a row")
    run = await world.read("r1")
    assert (run.outcome, run.waiting_for) == ("failed", None)
    assert "I had to stop: it failed 5 times in a row." in run.summary
    assert await world.deps.stores.locks.acquire("change:checkout", run_id="r2", most=1) == ()


async def test_only_so_many_runs_read_a_service_at_once(world):
    world.engine = Engine(replace(world.deps, readers_per_service=1))
    await world.store.start("other", started(book(gather())))
    await world.deps.stores.locks.acquire("read:checkout", run_id="other", most=1)
    run = await world.begin(book(gather()), "r1")
    assert run.phases["evidence"].behind == ("other",)
    assert BENCH.calls == []
    await world.deps.stores.locks.release("other")
    assert (await world.go("r1")).phases["evidence"].outcome == "ok"
