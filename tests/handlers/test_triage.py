"""`/triage`: a request is stored once, or answered to that person alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.domain.intent import StartRun
from bot.domain.runs.event import Origin
from bot.services.parsing.command_line import usage_of
from handlers import triage
from tests.handlers.desks import TRIAGE
from tests.handlers.fronts import ANA, BEN, ONCALL, Front
from tests.support.waiting import until


def _texts(ephemerals: tuple[dict[str, Any], ...]) -> str:
    return "\n".join(str(item["text"]) for item in ephemerals)


async def test_a_command_is_written_down_with_who_where_and_what(front: Front):
    done = await front.people.slash("/triage checkout since 10m", user="ana", channel="checkout-oncall")
    assert done.ok
    assert done.ephemerals == ()
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.key == done.trigger_id
    assert intent.runbook == "triage"
    assert intent.params == {"service": "checkout", "since": 600.0}
    assert (intent.by.id, intent.by.name) == (ANA, "ana")
    assert intent.origin == Origin(kind="command", channel=ONCALL)


async def test_no_call_to_slack_is_made_before_a_command_is_acknowledged(front: Front):
    before = (await front.people.stats())["calls"]
    assert (await front.people.slash("/triage checkout", user="ana", channel="general")).ok
    assert (await front.people.stats())["calls"] == before


async def test_a_command_that_is_delivered_twice_is_one_request(front: Front):
    async with front.people.faulty(double_delivery=True):
        assert (await front.people.slash("/triage checkout", user="ana", channel="general")).ok
        await until(lambda: front.inbox.puts >= 2, what="a second delivery")
    assert len(front.inbox.intents) == 1


async def test_two_people_who_ask_the_same_are_two_requests(front: Front):
    await front.people.slash("/triage checkout", user="ana", channel="general")
    await front.people.slash("/triage checkout", user="ben", channel="general")
    assert [intent.by.id for intent in front.inbox.intents if isinstance(intent, StartRun)] == [ANA, BEN]


@pytest.mark.parametrize("text", ["", "help", " HELP "])
async def test_help_names_every_way_to_ask_and_starts_nothing(front: Front, text: str):
    done = await front.people.slash("/triage", text, user="ana", channel="general")
    said = _texts(done.ephemerals)
    assert "/triage <service> [since 30m]" in said.replace("&lt;", "<").replace("&gt;", ">")
    assert "triage &lt;service&gt;" in said
    assert "Triage this" in said
    assert front.inbox.intents == []


async def test_an_unknown_service_is_answered_with_the_nearest_name_and_an_example(front: Front):
    done = await front.people.slash("/triage chekout", user="ana", channel="general")
    said = _texts(done.ephemerals)
    assert "chekout" in said
    assert "did you mean `checkout`" in said
    assert "/triage checkout" in said
    assert front.inbox.intents == []


async def test_words_that_make_no_sense_are_answered_with_an_example(front: Front):
    done = await front.people.slash("/triage checkout since yesterday", user="ana", channel="general")
    assert done.ok
    assert "Try `/triage checkout since 30m`" in _texts(done.ephemerals)
    assert front.inbox.intents == []


async def test_an_answer_is_seen_by_nobody_else(front: Front):
    await front.people.slash("/triage nonsense", user="ana", channel="general")
    assert await front.people.messages("general", user="ben") == []
    assert len(await front.people.messages("general", user="ana")) == 1


async def test_an_escaped_mention_in_the_words_does_no_harm(front: Front):
    done = await front.people.slash("/triage @ben", user="ana", channel="general")
    assert done.ok
    assert "@ben" in _texts(done.ephemerals)


async def test_a_fault_of_ours_is_told_with_a_reference_and_logged(front: Front, caplog):
    async def explode() -> None:
        raise RuntimeError("the store is gone")

    front.inbox.before = explode
    done = await front.people.slash("/triage checkout", user="ana", channel="general")
    (record,) = [record for record in caplog.records if record.message == "handler_crashed"]
    assert record.__dict__["reference"] in _texts(done.ephemerals)
    assert "Nothing was started" in _texts(done.ephemerals)
    assert record.exc_info is not None


async def test_a_store_that_hangs_is_told_before_slack_gives_up(front: Front):
    async def hang() -> None:
        await asyncio.Event().wait()

    front.inbox.before = hang
    done = await front.people.slash("/triage checkout", user="ana", channel="general")
    assert done.ok
    assert "Something broke on our side" in _texts(done.ephemerals)


def test_the_usage_in_the_manifest_is_that_of_the_runbook():
    own = usage_of(TRIAGE, triage.COMMAND).strip("`")
    assert f"{triage.COMMAND} {triage.USAGE}" == f"{own} | accuracy [30d]"
