"""Workers may die before or after any write, again and again: nothing outside happens twice or is lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.runs.event import StepFinished, StepUndone
from bot.domain.runs.run import Run
from tests.support.waiting import until
from tests.support.worlds import BEN, BENCH, started
from tests.unit.engine.frail import Death, DiedError, FrailWorld
from tests.unit.engine.small_world import book, fix, step

EXAMPLES = settings(max_examples=100, deadline=None)
DEATHS = st.lists(st.tuples(st.integers(1, 14), st.sampled_from(("before", "after"))), max_size=6)
ENDINGS = st.sampled_from(("good", "refused", "returns"))
MEASURED = {"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}


@pytest.fixture(scope="module", autouse=True)
def _every_run_writes_alike():
    """Let facts be gathered for one turn of the loop, not for a millisecond.

    Otherwise the speed of the machine decides which facts share a write, and the number of a write means another
    one in the next run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.engine.session._GATHER_S", 0)
        yield


def acting(target, name):
    undo = {"action": f"frail.{target}", "with": {"name": "undo-{{ result.before.name }}"}}
    return {"id": name, "action": f"frail.{target}", "with": {"name": name}, "undo": undo}


def story(target):
    """Reads, judges, asks two people, acts three times, checks, and keeps watching."""
    return book(
        {"kind": "fan_out", "id": "evidence", "steps": [step("x"), step("y"), step("z")]},
        {"kind": "reduce", "id": "judged", "reducer": "rank_causes", "over": ["evidence"]},
        fix(
            *(acting(target, name) for name in ("a", "b", "c")),
            approval={"quorum": 2},
            verify=[{**MEASURED, "expect": "result.value < 10"}],
        ),
        {
            "kind": "background",
            "id": "watch",
            "after": "fix",
            "for_s": 60,
            "on_breach": "again",
            "checks": [MEASURED],
        },
    )


@dataclass(frozen=True)
class Lived:
    """What came of a run: what its journal tells, what was done outside, and what is left behind."""

    run: Run
    effects: tuple[str, ...]
    fallen: int
    successors: int
    place_is_free: bool

    @property
    def told(self) -> dict[str, object]:
        """Everything people can see of it, but for names drawn by lot and seconds measured."""
        run = self.run
        steps = {
            (phase.id, known.id): (known.outcome, known.result, known.error, known.undone)
            for phase in run.phases.values()
            for known in phase.steps.values()
        }
        phases = {p.id: (p.outcome, p.why, p.output, p.behind, p.samples) for p in run.phases.values()}
        gates = [(gate.decision, gate.approved_by, gate.decided_by) for gate in run.approvals.values()]
        return {"end": (run.outcome, run.summary), "phases": phases, "steps": steps, "gates": gates}


async def lived(target: str, ending: str, deaths: list[Death]) -> Lived:
    world = FrailWorld(iter(deaths))
    world.books.books["again"] = book({"kind": "explore", "id": "look", "steps": [step("x")]}, name="again")
    BENCH.down.update({"c"} if ending == "refused" else ())
    BENCH.value = 7.0 if ending == "returns" else 0.0
    run = await world.live(story(target))
    return Lived(
        run=run,
        effects=tuple(BENCH.effects),
        fallen=world.fallen,
        successors=len(await world.store.recent()) - 1,
        place_is_free=await world.stores.locks.acquire("change:checkout", run_id="next", most=1) == (),
    )


def agree(hard: Lived, quiet: Lived) -> None:
    """Nothing of a hard life shows."""
    assert hard.told == quiet.told
    assert hard.effects == quiet.effects
    assert (hard.successors, hard.place_is_free) == (quiet.successors, True)


def agree_or_ask(hard: Lived, quiet: Lived) -> None:
    """Nothing is done twice; where nobody can tell whether it was done, the run says so and stops."""
    rest = iter(quiet.effects)
    assert all(effect in rest for effect in hard.effects)  # each once, nothing new, nothing out of order
    assert hard.place_is_free
    steps = hard.run.phases["fix"].steps.values()
    if any("in_doubt" in (known.outcome, known.undone) for known in steps):
        assert hard.run.outcome == "failed"
    else:
        agree(hard, quiet)


@pytest.mark.parametrize(
    ("ending", "outcome", "done", "successors"),
    [
        ("good", "recovered", "a b c", 0),
        ("refused", "failed", "a b undo-b undo-a", 0),
        ("returns", "breached", "a b c", 1),
    ],
)
async def test_left_alone_the_story_ends_as_it_is_told(ending, outcome, done, successors):
    quiet = await lived("blind", ending, [])
    assert quiet.run.outcome == outcome
    assert [effect.partition(":")[0] for effect in quiet.effects] == done.split()
    assert (quiet.successors, quiet.fallen) == (successors, 0)


@pytest.mark.parametrize("ending", ["good", "refused", "returns"])
@pytest.mark.parametrize(("target", "holds"), [("seen", agree), ("keyed", agree), ("blind", agree_or_ask)])
async def test_a_death_at_any_single_write_is_survived(target, holds, ending):
    quiet = await lived(target, ending, [])
    for side in ("before", "after"):
        number, hard = 1, await lived(target, ending, [(1, side)])
        while hard.fallen:
            holds(hard, quiet)
            number += 1
            hard = await lived(target, ending, [(number, side)])
        assert number > len(quiet.run.phases)  # it was a sweep, and it came to the end


@EXAMPLES
@given(target=st.sampled_from(("seen", "keyed")), ending=ENDINGS, deaths=DEATHS)
async def test_no_row_of_deaths_changes_an_outcome_or_repeats_an_effect(target, ending, deaths):
    agree(await lived(target, ending, deaths), await lived(target, ending, []))


@EXAMPLES
@given(ending=ENDINGS, deaths=DEATHS)
async def test_where_nobody_can_tell_a_row_of_deaths_ends_in_doubt_and_repeats_nothing(ending, deaths):
    agree_or_ask(await lived("blind", ending, deaths), await lived("blind", ending, []))


async def test_a_death_between_intent_and_result_at_a_target_that_cannot_be_asked_is_put_to_a_person():
    quiet = await lived("blind", "good", [])
    doubted = []
    for number in range(1, 40):
        hard = await lived("blind", "good", [(number, "after")])
        if hard.run.outcome != quiet.run.outcome:
            doubted.append(tuple(effect[0] for effect in hard.effects))
            assert "Nothing more will be done until a person has checked." in hard.run.summary
    assert doubted == [(), ("a",), ("a", "b")]  # the intents of a, b and c


@pytest.mark.parametrize("target", ["seen", "keyed"])
async def test_after_a_breach_and_a_death_everything_is_put_back_and_nothing_new_is_begun(target):
    watch = [{**MEASURED, "every_s": 0.001}]
    runbook = book(fix(*(acting(target, name) for name in ("a", "b", "c")), watch=watch))
    world = FrailWorld(iter([]), voters=[BEN])
    await world.store.start("r1", started(runbook))
    await world.engine.advance("r1")
    await breached_after_two(world)
    run = await world.live(runbook)
    assert (run.outcome, run.phases["fix"].outcome, run.phases["fix"].why) == (
        "failed",
        "breached",
        "errors: 9 errors",
    )
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "b", "undo-b", "undo-a"]


async def breached_after_two(world: FrailWorld) -> None:
    """Let the watch see errors while the second action is done, and the worker die after its first undo.

    The errors are over by the time that somebody else takes the run.
    """
    append = world.store.append

    async def fatal(run_id, events, *, epoch):
        length = await append(run_id, events, epoch=epoch)
        if any(isinstance(event, StepFinished) and event.step == "b" for event in events):
            BENCH.value = 9.0
            await until(lambda: 9.0 in BENCH.measured, what="a watch that sees the errors")
        if any(isinstance(event, StepUndone) for event in events):
            raise DiedError("append")
        return length

    world.store.append = fatal
    run = await world.read()
    await world.desk.handle(world._click(run, world.voters.pop()))
    with pytest.raises(DiedError):
        await world.engine.advance("r1")
    world.store.append, BENCH.value = append, 0.0
