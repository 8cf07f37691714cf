"""An unclear diagnosis whose source did not answer is looked at once more, in the same run; nothing happens twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.diagnoses.diagnosis import Diagnosis, Source, SourceStatus
from bot.domain.runs.event import ApprovalRequested, InputsPinned, LookAgainPlanned, LookedAgain, StepFinished
from bot.domain.runs.journal import problems_of
from bot.domain.runs.run import fold
from bot.engine.deps import ReduceInput
from bot.engine.replay import again, difference, recorded
from bot.reducers import REDUCERS
from bot.views.exports.spans import spans_of
from tests.support.worlds import BENCH
from tests.unit.diagnosis.stories import deploy, log_errors, version_errors
from tests.unit.engine import triages
from tests.unit.engine.frail import FrailWorld
from tests.unit.engine.small_world import book, diagnose, fix, step
from tests.unit.engine.triages import ranking

RELEASE = [
    deploy("web", "1.1"),
    version_errors("web", {"1.0": 0.0, "1.1": 0.4}, failing="1.1"),
    *log_errors("web"),
]
LOOKS = book(
    triages.TRIAGE.phases[0].model_dump(mode="json", by_alias=True),
    {**triages.TRIAGE.phases[1].model_dump(mode="json", by_alias=True), "look_again_s": 60},
)


async def asked(world, *, away, found=()):
    """Begin a triage while some sources are away; return the run as it is then."""
    triages.FOUND[:] = found
    triages.AWAY.clear()
    triages.AWAY.update(away)
    return await ranking(world).begin(LOOKS, service="web", since=1800)


async def later(world, seconds):
    world.clock.forward(seconds)
    await world.store.pump(now=world.clock.now())
    return await world.go()


def count(events, kind):
    return sum(isinstance(event, kind) for event in events)


async def test_a_source_that_comes_back_makes_the_diagnosis_clear_in_the_same_run(world):
    run = await asked(world, away={"metrics", "logs"}, found=RELEASE)
    assert run.state == "running"
    assert run.diagnosis.verdict == "unclear"
    assert run.phases["diagnosis"].again_because == "logs and metrics did not answer in full"
    assert run.phases["diagnosis"].again_at - run.started_at >= timedelta(seconds=60)
    triages.AWAY.clear()
    assert (await later(world, 30)).state == "running"
    run = await later(world, 31)
    assert run.state == "finished"
    assert run.diagnosis.verdict == "cause_found"
    assert all(known.outcome == "ok" for known in run.phases["evidence"].steps.values())
    events = await world.store.load("r1")
    assert (count(events, LookAgainPlanned), count(events, LookedAgain)) == (1, 1)
    assert count(events, StepFinished) == 2 * len(triages.SOURCES)
    assert problems_of("r1", events) == ()


async def test_a_source_that_stays_away_is_asked_for_twice_and_no_more(world):
    await asked(world, away={"metrics"})
    run = await later(world, 61)
    assert (run.state, run.outcome) == ("finished", "unclear")
    assert run.phases["diagnosis"].looks == 2
    assert count(await world.store.load("r1"), LookedAgain) == 1


@pytest.mark.parametrize(
    ("away", "found"),
    [((), RELEASE), ((), [*log_errors("web")]), (("provider",), RELEASE)],
    ids=["clear", "unclear though all answered", "clear without it"],
)
async def test_what_would_not_change_is_not_looked_at_again(world, away, found):
    run = await asked(world, away=away, found=found)
    assert run.state == "finished"
    assert count(await world.store.load("r1"), LookAgainPlanned) == 0


async def test_without_the_runbooks_word_there_is_one_look(world):
    triages.AWAY.clear()
    triages.AWAY.update({"metrics"})
    run = await ranking(world).begin(triages.TRIAGE, service="web", since=1800)
    assert run.state == "finished"


async def test_a_cause_that_was_just_taken_back_is_looked_at_again(world):
    back = deploy("web", "1.0", before_s=-20)
    back = back.model_copy(update={"data": {**back.data, "change_kind": "rollback"}})
    run = await asked(world, away=(), found=[*RELEASE, back])
    assert (run.state, run.diagnosis.verdict) == ("running", "unclear")
    assert "web was rolled back to 1.0" in run.phases["diagnosis"].again_because
    triages.FOUND[:] = [deploy("web", "1.1"), back]
    run = await later(world, 61)
    assert run.outcome == "no_fault_found"


async def test_a_replay_gives_the_second_diagnosis_from_the_second_answers(world):
    await asked(world, away={"metrics", "logs"}, found=RELEASE)
    triages.AWAY.clear()
    await later(world, 61)
    events = await world.store.load("r1")
    (told,) = recorded("r1", events)
    assert count(events, InputsPinned) == 2
    assert difference(told, again(told, REDUCERS)) == ()


async def test_each_look_has_spans_of_its_own(world):
    await asked(world, away={"metrics"}, found=RELEASE)
    await later(world, 61)
    spans = spans_of("r1", await world.store.load("r1"))
    assert len({span.id for span in spans}) == len(spans)
    assert {span.parent for span in spans if span.parent} <= {span.id for span in spans}


def told_by_answers(given: ReduceInput) -> Diagnosis:
    """Unclear as long as something does not answer."""
    away = [s.id for phase in given.phases for s in phase.steps.values() if s.outcome == "unavailable"]
    sources = tuple(Source(name=name, status=SourceStatus.UNAVAILABLE, why="away") for name in away)
    found = diagnose(given)
    return found.but(verdict="unclear", sources=sources) if away else found


class PatchyWorld(FrailWorld):
    """A world in which a source that does not answer comes back while time passes."""

    async def _time_passes(self) -> None:
        await super()._time_passes()
        BENCH.down.discard("x")


STORY = book(
    {"kind": "fan_out", "id": "evidence", "steps": [step("x"), step("y")], "deadline_s": 0.3},
    {
        "kind": "reduce",
        "id": "judged",
        "reducer": "rank_causes",
        "over": ["evidence"],
        "look_again_s": 60,
    },
    fix({"id": "a", "action": "frail.seen", "with": {"name": "a"}, "no_undo": "a test"}),
)


async def lived(deaths):
    world = PatchyWorld(iter(deaths), reducer=told_by_answers)
    BENCH.down.add("x")
    run = await world.live(STORY)
    return run, tuple(BENCH.effects), world.fallen, await world.store.load("r1")


async def test_a_death_at_any_single_write_leaves_one_second_look_one_approval_and_one_effect():
    for side in ("before", "after"):
        number, fallen = 1, 1
        while fallen:
            run, effects, fallen, events = await lived([(number, side)])
            assert run.outcome == "recovered"
            assert len(effects) == 1
            assert count(events, ApprovalRequested) == 1
            assert run.phases["judged"].looks == 2
            assert fold("r1", events).phases["evidence"].steps["x"].outcome == "ok"
            number += 1
        assert number > 4  # it was a sweep, and it came to the end
