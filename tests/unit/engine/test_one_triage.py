"""A service has one triage at a time; who asks for another is pointed to it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.intent import CancelRun, StartRun
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.domain.runs.event import Origin
from bot.services.intent_handler import IntentHandler
from bot.services.run_starter import run_id_of
from bot.testing.links import MemoryLinks
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.engine.small_world import CATALOGUE, act, book, fix, step

TRIAGE = book(
    {"kind": "explore", "id": "look", "steps": [step("a")]},
    {"kind": "reduce", "id": "cause", "reducer": "rank_causes", "over": ["look"]},
    fix(act("a", no_undo="never")),
    name="triage",
)

CHECK = {"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}


class Desk:
    """People who ask for triages, and what they are told."""

    def __init__(self, world) -> None:
        self.world, self.links = world, MemoryLinks()
        world.books.books["triage"] = TRIAGE
        services = (*CATALOGUE.services, CATALOGUE.services[0].but(name="payments"))
        self.deps = replace(world.deps, links=self.links, catalogue=CATALOGUE.but(services=services))
        self.intents = IntentHandler(self.deps, directory=world.people, notifier=world.told)

    def request(self, by: Person = ANA, *, key: str = "", service: str = "checkout", alert: str = ""):
        kind = "button" if alert else "command"
        return StartRun(
            key=key or f"trigger-{by.name}",
            at=self.world.clock.now(),
            runbook="triage",
            params={"service": service},
            by=by,
            origin=Origin(kind=kind, channel="C0CHECKOUT", alert=alert),
        )

    async def ask(self, by: Person = ANA, **more: str) -> None:
        await self.intents.handle(self.request(by, **more))

    async def runs(self) -> set[str]:
        return set(await self.world.store.recent())

    async def end(self, run_id: str) -> None:
        await self.world.go(run_id)
        cancel = CancelRun(key=f"c{run_id}", at=self.world.clock.now(), run_id=run_id, by=BEN, channel="C1")
        await self.intents.handle(cancel)
        await self.world.go(run_id)


@pytest.fixture
def desk(world) -> Desk:
    return Desk(world)


async def test_the_second_is_pointed_to_the_thread_of_the_first(desk: Desk):
    await desk.ask(ANA)
    first = run_id_of("trigger-Ana")
    desk.links.known[first] = "https://chat.example/p1"
    await desk.ask(BEN)
    await desk.ask(ANA, key="again")
    assert await desk.runs() == {first}
    to_ben, to_ana = desk.world.told.notices
    assert (to_ben.user, to_ana.user) == (BEN.id, ANA.id)
    assert to_ben.text == (
        f"<@{ANA.id}> is already triaging `checkout`: <https://chat.example/p1|open the thread>."
        " Once it has ended, you can start a new one."
    )
    assert to_ana.text.startswith("You are already triaging `checkout`: <https://chat.example/p1|")


async def test_without_an_address_the_second_is_told_the_channel(desk: Desk):
    await desk.ask(ANA)
    await desk.ask(BEN)
    assert "is already triaging `checkout` in <#C0CHECKOUT>." in desk.world.told.notices[0].text


async def test_of_many_who_press_at_the_same_instant_one_starts_it(desk: Desk):
    people = [Person(id=f"U0PERSON{number:02}", name=f"p{number}") for number in range(20)]
    await asyncio.gather(*(desk.ask(person) for person in people))
    assert len(await desk.runs()) == 1
    assert len(desk.world.told.notices) == 19


async def test_another_service_has_a_triage_of_its_own(desk: Desk):
    await asyncio.gather(desk.ask(ANA), desk.ask(BEN, service="payments"))
    assert len(await desk.runs()) == 2


async def test_once_it_has_ended_the_next_one_starts_also_if_two_ask(desk: Desk):
    await desk.ask(ANA)
    await desk.end(run_id_of("trigger-Ana"))
    await asyncio.gather(desk.ask(BEN), desk.ask(CHI))
    assert len(await desk.runs()) == 2
    assert len(desk.world.told.notices) == 1


async def test_one_that_only_watches_keeps_nobody_from_triaging_what_is_new(desk: Desk):
    watch = {"kind": "background", "id": "watch", "after": "fix", "for_s": 600, "checks": [CHECK]}
    phases = [phase.model_dump(mode="json", by_alias=True, exclude_none=True) for phase in TRIAGE.phases]
    desk.world.books.books["triage"] = book(*phases, watch, name="triage")
    await desk.ask(ANA)
    run = await desk.world.go(run_id_of("trigger-Ana"))
    await desk.ask(BEN)
    assert len(await desk.runs()) == 1, "its fix waits for approval"
    await desk.world.vote(run, CHI)
    await desk.world.go(run.id)
    await desk.ask(BEN, key="later")
    assert await desk.runs() == {run.id, run_id_of("later")}


async def test_the_button_of_an_alert_and_the_command_are_one_triage(desk: Desk):
    at = desk.world.clock.now()
    facts = {"fingerprint": "f", "name": "Errors", "service": "checkout", "severity": "page"}
    alert = Alert.model_validate({**facts, "status": "firing", "starts_at": at})
    await desk.world.stores.alerts.report(alert)
    await desk.ask(ANA)
    await desk.ask(BEN, alert=alert.id)
    first = run_id_of("trigger-Ana")
    assert await desk.runs() == {first}
    assert await desk.world.stores.alerts.run_of(alert.id) == first, "the alert shows its progress"
    await desk.end(first)
    await desk.ask(CHI, alert=alert.id)
    assert await desk.runs() == {first, run_id_of("trigger-Chika")}
    assert await desk.world.stores.alerts.run_of(alert.id) == run_id_of("trigger-Chika")


async def test_a_redelivered_request_starts_no_other_and_tells_nothing(desk: Desk):
    for _ in range(2):
        await desk.ask(ANA)
    await desk.end(run_id_of("trigger-Ana"))
    await desk.ask(BEN)
    await desk.ask(ANA)
    assert await desk.runs() == {run_id_of("trigger-Ana"), run_id_of("trigger-Ben")}
    assert desk.world.told.notices == []


async def test_who_asks_while_another_is_about_to_start_is_told_so_and_waits_no_longer_than_that_may_take(
    desk: Desk,
):
    await desk.world.stores.claims.claim("triage:checkout", holder="r-of-a-dead-worker", lasts_s=120)
    await desk.ask(ANA)
    assert await desk.runs() == set()
    assert "is just starting" in desk.world.told.notices[0].text
    desk.world.clock.forward(121)
    await desk.ask(ANA)
    assert await desk.runs() == {run_id_of("trigger-Ana")}


async def test_a_claim_of_a_run_that_is_no_longer_kept_is_free(desk: Desk):
    await desk.world.stores.claims.claim("triage:checkout", holder="r-of-last-year")
    await desk.ask(ANA)
    assert await desk.runs() == {run_id_of("trigger-Ana")}


async def test_a_worker_that_stood_still_past_its_claim_cancels_its_own_run(desk: Desk, monkeypatch):
    start = desk.world.store.start

    async def slow(run_id, event):
        if run_id == run_id_of("trigger-Ana"):
            desk.world.clock.forward(121)
            await desk.ask(BEN)
        return await start(run_id, event)

    monkeypatch.setattr(desk.world.store, "start", slow)
    await desk.ask(ANA)
    run = await desk.world.read(run_id_of("trigger-Ana"))
    assert run.cancelled_why == "another triage of the service was first"
    assert (await desk.world.read(run_id_of("trigger-Ben"))).cancelled_by is None


async def test_what_a_monitor_starts_is_told_to_nobody_when_a_triage_is_under_way(desk: Desk):
    await desk.ask(ANA)
    by_monitor = desk.request(Person(id="monitor", name="monitor checkout/errors"), key="m1")
    origin = Origin(kind="webhook", channel="C0CHECKOUT")
    await desk.intents.handle(by_monitor.model_copy(update={"origin": origin}))
    assert await desk.runs() == {run_id_of("trigger-Ana")}
    assert desk.world.told.notices == []
