"""The checklist subcommands are parsed completely or refused with an example, and stored before any answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.errors import UsageError
from bot.domain.intent import ShowChecklist, TickItem, UntickItem, WaiveItem
from bot.services.parsing.command_line import split_words
from bot.testing.stores import memory_stores
from handlers._deploy_checklist import WORDS
from tests.handlers.desks import RecordingInbox, memory_desk

LISTED = {"name": "checkout", "gates": {"checklist": {"tests": {}, "security_scan": {}}}}
CATALOGUE = Catalogue.model_validate({"services": [LISTED, {"name": "payments"}]})


async def said(text: str) -> Any:
    """Type ``/deploy`` and this text; return the single resulting intent."""
    inbox = RecordingInbox()
    verb, *words = split_words(text)
    command = {"trigger_id": "t1", "user_id": "U0ANA", "user_name": "ana", "channel_id": "C1", "text": text}
    desk = replace(memory_desk(replace(memory_stores(), inbox=inbox)), catalogue=CATALOGUE)
    assert await WORDS[verb].run(desk, words, command) == ""
    (intent,) = inbox.intents
    assert (intent.key, intent.by.id, intent.channel) == ("t1", "U0ANA", "C1")
    return intent


@pytest.mark.parametrize("item", ["security_scan", "security-scan", "Security-Scan"])
async def test_an_item_is_ticked_as_people_write_it_with_a_note_or_without(item):
    tick = await said(f"tick checkout 1.5.0 {item} all clean, see https://ci.example/7")
    assert isinstance(tick, TickItem)
    assert (tick.service, tick.version, tick.item) == ("checkout", "1.5.0", "security_scan")
    assert tick.note == "all clean, see https://ci.example/7"
    assert (await said(f"tick checkout 1.5.0 {item}")).note == ""


async def test_an_item_is_waived_with_a_reason_and_a_list_is_shown():
    waiver = await said("waive Checkout 1.5.0 tests the runner is broken")
    assert isinstance(waiver, WaiveItem)
    assert (waiver.item, waiver.reason) == ("tests", "the runner is broken")
    untick = await said("untick checkout 1.5.0 security-scan")
    assert isinstance(untick, UntickItem)
    assert untick.item == "security_scan"
    shown = await said("checklist checkout v1.5.0-rc.1+7")
    assert isinstance(shown, ShowChecklist)
    assert shown.version == "v1.5.0-rc.1+7"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tick", "Which service"),
        ("tick checkout", "Which version"),
        ("tick checkout 1:5 tests", "`1:5` is not a valid version"),
        ("tick checkout 1.5.0", "There are `tests`, `security_scan`"),
        ("tick checkout 1.5.0 tets", "did you mean `tests`"),
        ("tick payments 1.5.0 tests", "no checklist for `payments`"),
        ("tick checkout 1.5.0 tests " + "x" * 301, "300 characters"),
        ("waive checkout 1.5.0 tests", "Why?"),
        ("untick checkout 1.5.0 tests please", "Unexpected text after the item: `please`"),
        ("checklist checkout", "Which version"),
        ("checklist checkout 1.5.0 tests", "do not understand `tests`"),
    ],
)
async def test_what_cannot_be_understood_is_refused(text, problem):
    with pytest.raises(UsageError, match=problem):
        await said(text)
