"""Outside effects: at most once, undone in reverse, looked at when in doubt."""

from __future__ import annotations

import pytest

from bot.domain.runs.event import EffectIntended
from tests.support.worlds import BEN, BENCH
from tests.unit.engine.small_world import UNDO, act, approved, book, fix


async def test_the_first_failure_stops_a_pipeline_and_undoes_in_reverse(world):
    BENCH.down.add("c")
    run = await approved(
        world, fix(act("a", undo=UNDO), act("b", undo=UNDO), act("c", undo=UNDO), act("d", undo=UNDO))
    )
    assert run.outcome == "failed"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "b", "undo-b", "undo-a"]
    assert "c was refused" in run.summary


async def crash_after_intent(world, *, done: bool):
    """An earlier owner wrote its intent and died, before or after the effect."""
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    taken = await world.store.take("r1")
    key = "r1:fix:a"
    intent = EffectIntended(at=world.clock.now(), phase="fix", step="a", key=key, epoch=taken.epoch)
    await world.store.append("r1", (intent,), epoch=taken.epoch)
    if done:
        BENCH.effects.append(f"a:{key}")
    return await world.go()


@pytest.mark.parametrize("done", [True, False])
async def test_an_effect_in_doubt_is_looked_for_before_it_is_done_again(world, done):
    run = await crash_after_intent(world, done=done)
    assert run.phases["fix"].outcome == "ok"
    assert BENCH.effects == ["a:r1:fix:a"]


@pytest.mark.parametrize("done", [True, False])
async def test_an_undo_in_doubt_is_looked_for_before_it_is_done_again(world, done):
    BENCH.down.add("b")
    run = await world.begin(book(fix(act("a", undo=UNDO), act("b", undo=UNDO))))
    await world.vote(run, BEN)
    append, key = world.store.append, "r1:fix:a:undo"

    async def dies_after_the_intent(run_id, events, *, epoch):
        length = await append(run_id, events, epoch=epoch)
        if any(isinstance(event, EffectIntended) and event.undo for event in events):
            raise ConnectionError("the worker dies here")
        return length

    world.store.append = dies_after_the_intent
    with pytest.raises(ConnectionError):
        await world.go()
    world.store.append = append
    assert (await world.read()).phases["fix"].steps["a"].undo_in_doubt
    if done:
        BENCH.effects.append(f"undo-a:{key}")
    run = await world.go()
    assert run.phases["fix"].steps["a"].undone == "ok"
    assert BENCH.effects == ["a:r1:fix:a", f"undo-a:{key}"]


async def test_a_worker_that_lost_its_run_writes_and_does_nothing_more(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    before = await world.store.load("r1")
    taking = world.store.take

    async def overtaken(run_id):
        mine = await taking(run_id)
        await taking(run_id)
        return mine

    world.store.take = overtaken
    await world.engine.advance("r1")
    assert await world.store.load("r1") == before
    assert BENCH.effects == []
