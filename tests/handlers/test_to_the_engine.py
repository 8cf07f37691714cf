"""Stored intents are decided by the engine, and a refusal is posted where the request was made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from bot.domain.errors import NotFoundError
from bot.domain.intent import CastVote
from bot.domain.people import Person
from bot.domain.runs.run import fold
from bot.services.intent_handler import IntentHandler
from bot.services.run_starter import run_id_of
from tests.handlers.desks import CATALOGUE, SmallLibrary
from tests.handlers.fronts import ANA, GIL, ONCALL, Front
from tests.support.worlds import deps_over


@pytest.fixture
async def judge(front: Front) -> AsyncIterator[IntentHandler]:
    """Return the engine's intent handler behind the handlers, over the same Slack."""
    async with httpx.AsyncClient(timeout=60) as http:
        deps = deps_over(
            replace(front.desk.stores, inbox=front.store),
            http=http,
            library=SmallLibrary(),
            catalogue=CATALOGUE,
            clock=front.desk.clock,
            directory=front.desk.directory,
        )
        yield IntentHandler(deps, directory=front.desk.directory, notifier=front.desk.notifier)


async def test_a_members_request_becomes_a_run_that_knows_where_it_was_asked_for(
    front: Front, judge: IntentHandler
):
    await front.people.slash("/triage checkout", user="ana", channel="checkout-oncall")
    (intent,) = front.inbox.intents
    await judge.handle(intent)
    run = fold("r", await front.store.load(run_id_of(intent.key)))
    assert (run.service, run.requested_by.id, run.origin.channel) == ("checkout", ANA, ONCALL)


async def test_a_guest_is_told_why_nothing_was_started(front: Front, judge: IntentHandler):
    assert (await front.people.slash("/triage checkout", user=GIL, channel="checkout-oncall")).ok
    (intent,) = front.inbox.intents
    await judge.handle(intent)
    seen = await front.people.wait("you are a guest", channel="checkout-oncall", user=GIL)
    assert seen.is_ephemeral
    with pytest.raises(NotFoundError):
        await front.store.load(run_id_of(intent.key))


async def test_nothing_is_started_for_somebody_whom_slack_cannot_vouch_for(
    front: Front, judge: IntentHandler
):
    await front.people.slash("/triage checkout", user="ana", channel="checkout-oncall")
    (intent,) = front.inbox.intents
    async with front.people.faulty(fail={"users.info": "internal_error"}):
        await judge.handle(intent)
    seen = await front.people.wait("cannot check who you are", channel="checkout-oncall", user="ana")
    assert seen.is_ephemeral
    with pytest.raises(NotFoundError):
        await front.store.load(run_id_of(intent.key))


async def test_a_vote_on_what_is_gone_is_answered(front: Front, judge: IntentHandler):
    vote = CastVote(
        key="k",
        at=front.desk.clock.now(),
        approval_id="r0.gate",
        verdict="approve",
        by=Person(id=ANA),
        channel=ONCALL,
    )
    await judge.handle(vote)
    assert (await front.people.wait("No run has the id", channel="checkout-oncall", user="ana")).is_ephemeral


async def test_what_a_monitor_sees_now_is_told_where_it_was_asked_for(front: Front, judge: IntentHandler):
    await front.people.slash("/monitor test errors", user="ana", channel="checkout-oncall")
    (intent,) = front.inbox.intents
    await judge.handle(intent)
    seen = await front.people.wait("It holds", channel="checkout-oncall", user="ana")
    assert seen.is_ephemeral
