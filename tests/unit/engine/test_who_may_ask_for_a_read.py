"""A read that asks a probe or posts something obeys, at the worker, the rule of all reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.errors import NotFoundError
from bot.domain.intent import AskWhyNot, ShowChecklist, ShowDelivery, ShowDiff, StartRun, TryMonitor
from bot.domain.runs.event import Origin
from bot.services.intent_handler import IntentHandler
from bot.services.run_starter import run_id_of
from tests.support.worlds import ANA
from tests.unit.engine.small_world import book, step

READS = {
    "why": (AskWhyNot, {"service": "checkout"}),
    "checklist": (ShowChecklist, {"service": "checkout", "version": "1.4.2"}),
    "diff": (ShowDiff, {"service": "checkout", "version": "1.4.2"}),
    "stats": (ShowDelivery, {"service": "checkout", "days": 30}),
    "monitor": (TryMonitor, {"name": "checkout/errors"}),
}
MONITOR = {"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5", "every": "30s"}
REASONS = {
    "guest": "you are a guest",
    "outsider": "you belong to another workspace",
    "deactivated": "your account is deactivated",
    "bot": "you are a bot",
    "unknown": "I found no account with your id",
}
PLAN = book(
    {"kind": "explore", "id": "look", "steps": [step("a")]},
    name="deploy-canary",
    params={"service": {"type": "service"}, "dry_run": {"type": "boolean", "default": False}},
)


def _desk(world, **read) -> IntentHandler:
    """A desk over a catalogue that opens what ``read`` says to guests."""
    services = [{"name": "checkout", "monitors": [MONITOR], **read}, {"name": "payments"}]
    deps = replace(world.deps, catalogue=Catalogue.model_validate({"services": services}))
    return IntentHandler(deps, directory=world.people, notifier=world.told, patience_s=(0,))


async def _asked(world, desk, kind, **more) -> str:
    """Ask; gives the answer, or what was posted."""
    world.told.notices.clear()
    intent = kind(key="k", at=world.clock.now(), by=ANA, channel="C1", **more)
    await desk.handle(intent)
    return world.told.notices[-1].text if world.told.notices else "posted"


@pytest.mark.parametrize("standing", REASONS)
@pytest.mark.parametrize("read", READS)
async def test_whoever_is_not_a_member_is_refused_with_the_reason(world, read, standing):
    world.people.standings[ANA.id] = standing
    kind, more = READS[read]
    assert REASONS[standing] in await _asked(world, _desk(world), kind, **more)


@pytest.mark.parametrize("read", READS)
async def test_a_person_whose_profile_cannot_be_read_is_refused(world, read):
    world.people.away = 100
    kind, more = READS[read]
    assert "cannot be asked" in await _asked(world, _desk(world), kind, **more)


@pytest.mark.parametrize("standing", ["member", "guest"])
@pytest.mark.parametrize("read", READS)
async def test_a_member_is_answered_and_so_is_a_guest_where_the_catalogue_opens_the_service(
    world, read, standing
):
    world.people.standings[ANA.id] = standing
    kind, more = READS[read]
    answer = await _asked(world, _desk(world, read={"guests": True}), kind, **more)
    assert not any(reason in answer for reason in REASONS.values())


async def test_a_guest_may_not_ask_about_all_services_where_one_is_closed(world):
    world.people.standings[ANA.id] = "guest"
    desk = _desk(world, read={"guests": True})
    assert "Guests may read about: `checkout`." in await _asked(world, desk, ShowDelivery, days=30)


@pytest.mark.parametrize(
    ("params", "begins"), [({"dry_run": True}, True), ({"dry_run": False}, False), ({}, False)]
)
async def test_a_guest_who_may_read_may_have_a_plan_shown_and_nothing_deployed(world, params, begins):
    world.people.standings[ANA.id] = "guest"
    world.books.books["deploy-canary"] = PLAN
    intent = StartRun(
        key="k",
        at=world.clock.now(),
        runbook="deploy-canary",
        params={"service": "checkout", **params},
        by=ANA,
        origin=Origin(kind="command", channel="C1"),
    )
    await _desk(world, read={"guests": True}).handle(intent)
    if begins:
        assert await world.store.load(run_id_of("k"))
        assert world.told.notices == []
    else:
        assert "you are a guest" in world.told.notices[-1].text
        with pytest.raises(NotFoundError):
            await world.store.load(run_id_of("k"))
