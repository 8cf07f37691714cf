"""The gate subcommands are parsed completely or refused with an example, and stored before any answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.errors import UnknownServiceError, UsageError
from bot.domain.intent import AskWhyNot, HandOverLocks, LockDeploys, UnlockDeploys
from bot.services.parsing.command_line import split_words
from bot.testing.stores import memory_stores
from handlers._deploy_gates import WORDS
from tests.handlers.desks import RecordingInbox, memory_desk


async def said(text: str) -> Any:
    """Type ``/deploy`` and this text; return the single resulting intent."""
    inbox = RecordingInbox()
    verb, *words = split_words(text)
    command = {"trigger_id": "t1", "user_id": "U0ANA", "user_name": "ana", "channel_id": "C1", "text": text}
    assert await WORDS[verb].run(memory_desk(replace(memory_stores(), inbox=inbox)), words, command) == ""
    (intent,) = inbox.intents
    assert (intent.key, intent.by.id, intent.channel) == ("t1", "U0ANA", "C1")
    return intent


@pytest.mark.parametrize(
    ("text", "service", "reason", "seconds"),
    [
        ("lock checkout the fair begins", "checkout", "the fair begins", 4 * 3600),
        ("lock Checkout the fair begins 2h", "checkout", "the fair begins", 7200),
        ("lock checkout the fair for 1h30m", "checkout", "the fair", 5400),
        ("lock checkout version 1.4.2 is broken 7d", "checkout", "version 1.4.2 is broken", 7 * 86_400),
        ("lock checkout wait for 1.4.2", "checkout", "wait for 1.4.2", 4 * 3600),
    ],
)
async def test_a_lock_is_read_with_its_reason_and_its_time(text, service, reason, seconds):
    intent = await said(text)
    assert isinstance(intent, LockDeploys)
    assert (intent.service, intent.reason, intent.seconds) == (service, reason, seconds)


async def test_the_other_words_are_read():
    unlock = await said("unlock checkout")
    assert isinstance(unlock, UnlockDeploys)
    assert unlock.service == "checkout"
    why = await said("why checkout 1.4.2")
    assert isinstance(why, AskWhyNot)
    assert (why.service, why.version) == ("checkout", "1.4.2")
    assert (await said("why checkout")).version == ""


@pytest.mark.parametrize("mention", ["<@U0BEN00001>", "<@U0BEN00001|ben>"])
async def test_a_lock_is_handed_to_the_person_who_is_mentioned(mention):
    intent = await said(f"handover {mention}")
    assert isinstance(intent, HandOverLocks)
    assert intent.to == "U0BEN00001"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lock", "Which service"),
        ("lock checkout", "Why?"),
        ("lock checkout 2h", "Why?"),
        ("lock checkout fair 8d", "at most 7 days"),
        ("lock checkout fair 0s", "more than 0 s and at most 30 days"),
        ("lock checkout " + "x" * 301, "300 characters"),
        ("unlock", "Which service?"),
        ("unlock checkout payments", "do not understand `payments`"),
        ("locks checkout", "Unexpected `checkout` after `/deploy locks`"),
        ("handover @ben", "To whom?"),
        ("handover <@U1> <@U2>", "one person only"),
        ("why", "Which service?"),
        ("queue checkout payments", "do not understand `payments`"),
        ("why checkout 1.4.2 now", "do not understand `now`"),
    ],
)
async def test_what_cannot_be_understood_is_refused_with_an_example(text, problem):
    with pytest.raises(UsageError, match=problem) as refused:
        await said(text)
    assert "Try `/deploy" in refused.value.hint


@pytest.mark.parametrize("text", ["lock chekout fair", "unlock chekout", "why chekout"])
async def test_a_misspelt_service_is_told_with_what_was_meant(text):
    with pytest.raises(UnknownServiceError, match="did you mean `checkout`"):
        await said(text)
