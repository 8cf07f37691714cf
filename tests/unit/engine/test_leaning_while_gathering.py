"""While a fan-out runs, each answer that moves what the evidence points to is noted; it decides nothing."""

from __future__ import annotations

import asyncio
import dataclasses

from bot.domain.runs.event import InputsPinned, PhaseFinished, PreliminaryDiagnosisChanged, StepFinished
from bot.domain.runs.preliminary import leaning_of
from bot.domain.runs.run import fold
from bot.engine.replay import again, difference, recorded
from bot.reducers import REDUCERS
from tests.support.waiting import until
from tests.unit.diagnosis.stories import deploy, log_errors, version_errors
from tests.unit.engine import triages
from tests.unit.engine.small_world import book, step
from tests.unit.engine.triages import ranking, triaged

RELEASE = [
    deploy("web", "1.1"),
    version_errors("web", {"1.0": 0.0, "1.1": 0.4}, failing="1.1"),
    *log_errors("web"),
]


def moves(events):
    return [(event.step, event.move) for event in events if isinstance(event, PreliminaryDiagnosisChanged)]


async def test_evidence_strengthens_what_it_points_to_as_it_comes_in(world):
    gates = {name: asyncio.Event() for name in ("logs", "changes", "metrics", "dependencies", "database")}
    triages.GATES.update(gates)
    try:
        task = asyncio.create_task(triaged(ranking(world), RELEASE))
        for name in ("logs", "changes", "metrics", "dependencies", "database"):
            gates[name].set()
            await until(lambda name=name: answered(world, name), what=f"an answer of {name}")
        events = await task
    finally:
        triages.GATES.clear()
    told = moves(events)
    assert told[0] == ("logs", "first")
    assert ("changes", "replaced") in told  # from the place to the release
    assert ("metrics", "strengthened") in told
    last = [event for event in events if isinstance(event, PreliminaryDiagnosisChanged)][-1].leaning
    diagnosis = fold("r1", events).diagnosis
    assert last.suspect == leaning_of(diagnosis).suspect
    assert abs(last.confidence - diagnosis.causes[0].confidence) < 0.05


async def answered(world, name):
    try:
        events = await world.store.load("r1")
    except Exception:  # noqa: BLE001  # it has not begun
        return False
    return any(isinstance(event, StepFinished) and event.step == name for event in events)


async def test_a_source_that_cannot_be_read_weakens_or_says_nothing_and_ends_nothing(world):
    events = await triaged(ranking(world), RELEASE, away=["metrics"])
    assert ("metrics", "strengthened") not in moves(events)
    assert any(isinstance(event, PhaseFinished) and event.phase == "diagnosis" for event in events)


async def test_leanings_are_no_input_of_the_diagnosis(world):
    events = await triaged(ranking(world), RELEASE)
    without = [event for event in events if not isinstance(event, PreliminaryDiagnosisChanged)]
    assert len(without) < len(events)
    (told,) = recorded("r1", without)
    assert difference(told, again(told, REDUCERS)) == ()


async def test_where_nothing_is_diagnosed_nothing_is_leaned_to(world):
    run = await world.begin(book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]}))
    assert run.phases["look"].leanings == ()


async def test_a_service_that_nobody_knows_is_left_to_the_reducer_to_complain_about(world):
    ranking(world)
    catalogue = world.deps.catalogue.model_copy(update={"services": ()})
    world = ranking(world, catalogue=catalogue)
    world.deps = dataclasses.replace(world.deps)
    events = await triaged(world, RELEASE)
    assert moves(events) == []
    assert "I know no service called `web`" in str(
        [e for e in events if isinstance(e, PhaseFinished) and e.phase == "diagnosis"]
    )
    assert any(isinstance(event, InputsPinned) for event in events)
