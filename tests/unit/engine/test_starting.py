"""What starts a run, and what does not."""

from __future__ import annotations

import asyncio

from bot.domain.intent import CancelRun, StartRun
from bot.domain.runs.event import Origin
from bot.services.run_starter import run_id_of
from tests.support.worlds import ANA, BEN
from tests.unit.engine.small_world import UNDO, act, book, fix, step


async def test_a_redelivered_command_is_one_run_and_an_outsider_starts_none(world):
    world.books.books["look"] = book({"kind": "explore", "id": "look", "steps": [step("a")]}, name="look")
    intent = StartRun(
        key="trigger-1",
        at=world.clock.now(),
        runbook="look",
        params={"service": "checkout"},
        by=ANA,
        origin=Origin(kind="command", channel="C1"),
    )
    for _ in range(2):
        await world.desk.handle(intent)
    assert await world.store.recent() == (run_id_of("trigger-1"),)
    world.people.outsiders.add(BEN.id)
    await world.desk.handle(intent.model_copy(update={"key": "trigger-2", "by": BEN}))
    assert len(await world.store.recent()) == 1
    assert "you are a guest" in world.told.notices[-1].text


async def test_an_alert_that_two_people_click_is_triaged_once_and_the_second_is_told_who_is_on_it(world):
    world.books.books["look"] = book(fix(act("a", undo=UNDO)), name="look")
    intents = [
        StartRun(
            key=f"trigger-{person.name}",
            at=world.clock.now(),
            runbook="look",
            params={"service": "checkout"},
            by=person,
            origin=Origin(kind="button", channel="C1", thread="1.0", alert="f-1"),
        )
        for person in (ANA, BEN)
    ]
    await asyncio.gather(*(world.desk.handle(intent) for intent in intents))
    (run_id,) = await world.store.recent()
    assert [(n.user, n.text[:15]) for n in world.told.notices] == [(BEN.id, "<@U0ANA00001> i")]
    await world.go(run_id)
    await world.desk.handle(CancelRun(key="c", at=world.clock.now(), run_id=run_id, by=BEN, channel="C1"))
    await world.go(run_id)
    await world.desk.handle(intents[1])
    assert len(await world.store.recent()) == 2
