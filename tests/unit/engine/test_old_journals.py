"""Whatever an older version wrote is read and carried on by this one, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.adapters.redis.stores.journal import RedisJournal
from bot.domain.runs.event import RunFinished, RunStarted
from bot.domain.runs.journal import EVENT_TYPES, JournalError, export_line, import_line, problems_of
from bot.domain.runs.run import fold
from tests.support.valkeys import fresh_store
from tests.support.worlds import BEN, BENCH, START, started
from tests.unit.engine.small_world import book, step

FOLDER = Path(__file__).parents[2] / "data" / "journals"
RECORDED = sorted(FOLDER.glob("v*/*.jsonl"))
ENDED = {
    "asked": "rejected",
    "behind_another": "done",
    "cancelled": "cancelled",
    "expired": "expired",
    "recovered": "recovered",
    "rolled_out": "done",
    "leaned": "recovered",
    "looked_again": "recovered",
    "triaged": "recovered",
    "undone": "failed",
}


def recorded(name):
    return import_line((FOLDER / "v1" / f"{name}.jsonl").read_text(encoding="utf-8"))


async def planted(world, name):
    """Put a recorded run into the world's store, as it was when its worker let go of it."""
    run_id, events = recorded(name)
    await world.store.start(run_id, events[0])
    taken = await world.store.take(run_id)
    await world.store.append(run_id, events[1:], epoch=taken.epoch)
    await world.store.park(run_id, epoch=taken.epoch, length=len(events), until=None)
    world.clock.at = events[-1].at
    return fold(run_id, events)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_journal_of_an_older_version_folds_as_it_did_and_is_sound(path):
    run_id, events = import_line(path.read_text(encoding="utf-8"))
    assert fold(run_id, events).outcome == ENDED.get(path.stem)
    assert problems_of(run_id, events) == ()
    assert import_line(export_line(run_id, events)) == (run_id, events)


def test_every_kind_of_fact_was_recorded():
    found = {event.type for path in RECORDED for event in import_line(path.read_text(encoding="utf-8"))[1]}
    assert found == EVENT_TYPES


async def test_an_old_run_that_waits_is_approved_and_carried_on_today(world):
    run = await planted(world, "waiting")
    await world.vote(run, BEN)
    run = await world.go()
    assert run.phases["fix"].outcome == "ok"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["1.4"]


async def test_an_old_run_is_watched_to_its_end_today(world):
    await planted(world, "watching")
    for _ in range(4):
        world.clock.forward(10)
        await world.store.pump(now=world.clock.now())
        run = await world.go()
    assert run.outcome == "recovered"
    assert BENCH.effects == []


async def test_an_old_effect_in_doubt_is_looked_at_today_and_not_done_again(world):
    run = await planted(world, "in_doubt")
    (doubtful,) = [s for phase in run.phases.values() for s in phase.steps.values() if s.in_doubt]
    BENCH.effects.append(f"{doubtful.id}:{doubtful.intent_key}")
    run = await world.go()
    assert run.outcome == "done"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "b"]


async def test_a_step_whose_plugin_is_gone_fails_by_name(world):
    run = await planted(world, "waiting")
    await world.vote(run, BEN)
    world.deps.plugins.by_name.pop("worlds.act")
    run = await world.go()
    assert (run.outcome, BENCH.effects) == ("failed", [])
    assert "no plugin is called `worlds.act`" in run.summary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"type": "run_danced"},
            "Event 1 of r1 has the type `run_danced`, which this version does not know.",
        ),
        ({"mood": "good"}, "Event 1 of r1 (phase_started): mood: Extra inputs are not permitted."),
        ({"at": "noon"}, "Event 1 of r1 (phase_started): at: "),
    ],
)
def test_a_fact_of_a_newer_version_is_refused_by_name(change, said):
    data = json.loads((FOLDER / "v1" / "waiting.jsonl").read_text(encoding="utf-8"))
    data["events"][1] |= change
    with pytest.raises(JournalError) as caught:
        import_line(json.dumps(data))
    assert str(caught.value).startswith(said)
    assert "newer version" in caught.value.hint


@pytest.mark.parametrize("line", ["", "[]", '{"format": "another/1", "run": "r1", "events": []}'])
def test_what_is_no_exported_run_is_refused(line):
    with pytest.raises(JournalError):
        import_line(line)


async def test_redis_too_names_the_fact_that_cannot_be_read():
    async with fresh_store() as store:
        journal = RedisJournal(store)
        await journal.start("r1", started(book({"kind": "explore", "id": "g", "steps": [step("a")]})))
        key = store.keys.of("r1").run("r1")
        await store.client.hset(key, mapping={"e:1": '[{"type": "run_danced"}]', "n": 2})
        with pytest.raises(JournalError, match="the type `run_danced`"):
            await journal.load("r1")


def test_an_unsound_journal_is_told_what_is_wrong_with_it():
    run_id, events = recorded("undone")
    begun, *rest = events
    assert isinstance(begun, RunStarted)
    late = RunFinished(at=START, outcome="done", summary="Done.")
    assert problems_of(run_id, (*events, late)) == (
        f"event {len(events)} (run_finished) comes after the end of the run",
    )
    (problem, *_) = problems_of(run_id, (begun, rest[0].model_copy(update={"phase": "gone"}), *rest))
    assert "names the phase gone" in problem or "does not fit" in problem
    assert problems_of(run_id, ()) == ("the journal is empty",)
