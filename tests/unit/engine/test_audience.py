"""Whoever may decide is looked up when a decision is needed, and nobody else is asked."""

from __future__ import annotations

import pytest

from bot.domain.catalogue import Catalogue, Service
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.engine.small_world import UNDO, act, book, fix

FIX = fix(act("a", undo=UNDO))


def names(people) -> set[str]:
    return {person.id for person in people}


async def audience_of(world, policy=None):
    run = await world.begin(book(fix(act("a", undo=UNDO), approval=policy or {})))
    return run.waiting_for.audience


async def test_the_group_is_mentioned_and_each_who_may_decide_is_asked(world):
    audience = await audience_of(world)
    assert audience.groups == {"S0ONCALL01": "oncall"}
    assert audience.people == ()
    assert names(audience.direct) == {BEN.id, CHI.id}  # Ana asked for it


async def test_a_requester_who_may_approve_is_asked_as_well(world):
    audience = await audience_of(world, {"allow_requester": True, "why": "a team of one"})
    assert names(audience.direct) == {ANA.id, BEN.id, CHI.id}


async def test_neither_a_guest_nor_another_account_of_the_requester_is_asked(world):
    world.people.standings[CHI.id] = "guest"
    world.people.emails |= {ANA.id: "ana@example.com", BEN.id: "Ana+work@example.com"}
    assert (await audience_of(world)).direct == ()


async def test_people_of_a_list_are_mentioned_one_by_one(world):
    world.people.mentions.clear()
    audience = await audience_of(world)
    assert audience.groups == {}
    assert names(audience.people) == names(audience.direct) == {BEN.id, CHI.id}


async def test_a_group_of_many_gets_a_mention_and_no_direct_messages(world):
    world.people.groups["oncall"] |= {f"U0MANY{number:03}" for number in range(30)}
    audience = await audience_of(world)
    assert audience.groups == {"S0ONCALL01": "oncall"}
    assert audience.direct == ()


@pytest.mark.parametrize(("own", "everyone", "asked"), [(False, True, 0), (None, False, 0), (True, False, 2)])
async def test_direct_messages_are_switched_by_the_service_or_by_the_catalogue(world, own, everyone, asked):
    service = Service(name="checkout", approvers=("oncall",), ask_directly=own)
    catalogue = Catalogue(services=(service,), ask_directly=everyone)
    object.__setattr__(world.deps, "catalogue", catalogue)
    audience = await audience_of(world)
    assert len(audience.direct) == asked
    assert audience.groups == {"S0ONCALL01": "oncall"}


async def test_a_directory_that_does_not_answer_holds_up_nothing_and_is_asked_again(world):
    world.people.away = 1
    run = await world.begin(book(FIX))
    assert run.waiting_for is not None
    assert run.waiting_for.audience is None
    world.clock.forward(16)
    assert await world.store.pump(now=world.clock.now()) == 1
    run = await world.go()
    assert run.waiting_for.audience.groups == {"S0ONCALL01": "oncall"}
    assert await world.go() == run  # looked up once
