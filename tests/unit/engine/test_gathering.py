"""EXPLORE and FAN-OUT: everything at once, nothing lost, nothing computed twice."""

from __future__ import annotations

import asyncio
import gc

from bot.domain.errors import StaleEpochError
from bot.domain.runs.event import PhaseStarted, StepFinished, StepRef
from tests.support.waiting import until
from tests.support.worlds import BENCH, started
from tests.unit.engine.small_world import book, step


async def test_a_fan_out_runs_its_steps_at_once_and_keeps_each_answer(world):
    run = await world.begin(
        book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b"), step("c")]})
    )
    assert run.state == "finished"
    assert run.phases["look"].outcome == "ok"
    assert [s.result["summary"] for s in run.phases["look"].steps.values()] == ["read a", "read b", "read c"]


async def test_a_hanging_step_costs_no_more_than_the_deadline_and_is_said_to_be_late(world):
    phase = {"kind": "fan_out", "id": "look", "deadline_s": 0.1, "steps": [step("a"), step("hangs")]}
    run = await world.begin(book(phase))
    assert run.phases["look"].outcome == "partial"
    assert run.phases["look"].steps["a"].outcome == "ok"
    assert run.phases["look"].steps["hangs"].outcome == "timed_out"


async def test_a_source_that_is_down_is_a_result_and_no_crash(world):
    BENCH.down.add("b")
    run = await world.begin(book({"kind": "explore", "id": "look", "steps": [step("a"), step("b")]}))
    assert run.phases["look"].steps["b"].outcome == "unavailable"
    assert run.phases["look"].steps["b"].error == "b does not answer."
    assert run.outcome == "done"


def answered(run, name):
    known = run.phases["look"].steps.get(name)
    return known is not None and known.outcome is not None


async def test_partial_answers_can_be_read_while_others_still_run(world):
    phase = {"kind": "fan_out", "id": "look", "deadline_s": 5, "steps": [step("a"), step("hangs")]}
    await world.store.start("r1", started(book(phase)))
    task = asyncio.create_task(world.engine.advance("r1"))

    async def one_answered():
        return answered(await world.read(), "a")

    await until(one_answered, what="an answer of a")
    assert (await world.read()).phases["look"].steps["hangs"].outcome is None
    BENCH.hang.set()
    await task
    assert (await world.read()).phases["look"].steps["hangs"].outcome == "ok"


async def test_one_step_for_each_item_of_a_list(world):
    each = {"id": "look", "probe": "worlds.read", "with": {"name": "{{ item }}"}, "for_each": "['x', 'y']"}
    run = await world.begin(book({"kind": "fan_out", "id": "all", "steps": [each]}))
    assert [s.result["data"]["name"] for s in run.phases["all"].steps.values()] == ["x", "y"]


async def test_a_recorded_result_is_never_recomputed(world):
    runbook = book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]})
    await world.store.start("r1", started(runbook))
    taken = await world.store.take("r1")
    refs = (StepRef(id="a", title="a"), StepRef(id="b", title="b"))
    facts = (
        PhaseStarted(at=world.clock.now(), phase="look", steps=refs),
        StepFinished(at=world.clock.now(), phase="look", step="a", outcome="ok", result={"summary": "first"}),
    )
    await world.store.append("r1", facts, epoch=taken.epoch)
    run = await world.go()
    assert BENCH.calls == ["b"]
    assert run.phases["look"].steps["a"].result == {"summary": "first"}


async def test_a_worker_that_lost_its_run_while_it_read_leaves_no_unheard_failure_behind(world):
    unheard = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unheard.append(context))
    phase = {
        "kind": "fan_out",
        "id": "look",
        "steps": [step("a"), *(step("hangs", id=name) for name in "bc")],
    }
    await world.store.start("r1", started(book(phase)))
    refused = asyncio.Event()

    async def refusing(run_id, events, *, epoch):
        refused.set()
        raise StaleEpochError(f"{run_id} belongs to somebody else.")

    world.store.append = refusing
    task = asyncio.create_task(world.engine.advance("r1"))
    await refused.wait()
    BENCH.hang.set()
    await task
    gc.collect()
    assert unheard == []


class Patchy:
    """Plays a source that answers from its second call on."""

    def __init__(self, name: str) -> None:
        BENCH.down.add(name)
        self.name = name

    async def recover(self) -> None:
        async def asked() -> bool:
            return self.name in BENCH.calls

        await until(asked, what=f"the first call of {self.name}")
        BENCH.down.discard(self.name)


async def test_a_source_that_did_not_answer_is_asked_again_within_the_deadline(world):
    patchy = Patchy("b")
    runbook = book({"kind": "fan_out", "id": "look", "deadline_s": 5, "steps": [step("a"), step("b")]})
    run, _ = await asyncio.gather(world.begin(runbook), patchy.recover())
    assert BENCH.calls == ["a", "b", "b"]
    assert run.phases["look"].outcome == "ok"
    results = [event for event in await world.store.load("r1") if isinstance(event, StepFinished)]
    assert [event.outcome for event in results] == ["ok", "ok"]


async def test_a_source_that_stays_away_is_asked_twice_and_its_reason_is_kept(world):
    BENCH.down.add("b")
    run = await world.begin(book({"kind": "fan_out", "id": "look", "deadline_s": 5, "steps": [step("b")]}))
    assert BENCH.calls == ["b", "b"]
    assert run.phases["look"].steps["b"].error == "b does not answer."


async def test_without_time_left_a_source_is_not_asked_again(world):
    BENCH.down.add("b")
    await world.begin(book({"kind": "fan_out", "id": "look", "deadline_s": 0.3, "steps": [step("b")]}))
    assert BENCH.calls == ["b"]


async def test_an_action_in_a_fan_out_is_never_tried_twice(world):
    BENCH.down.add("b")
    acts = {"id": "b", "action": "worlds.act", "with": {"name": "b"}, "no_undo": "a test"}
    await world.begin(book({"kind": "fan_out", "id": "look", "deadline_s": 5, "steps": [acts]}))
    assert BENCH.calls == ["b"]
