"""`@pilothouse triage …`, in a channel and in a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.intent import StartRun
from bot.domain.runs.event import Origin
from tests.handlers.fronts import ANA, ONCALL, Front, socket_front
from tests.support.waiting import until


async def test_a_mention_in_a_channel_is_written_down(front: Front):
    await front.people.mention("triage checkout since 1h", user="ana", channel="checkout-oncall")
    await front.settled()
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params == {"service": "checkout", "since": 3600.0}
    assert intent.by.id == ANA
    assert intent.origin == Origin(kind="mention", channel=ONCALL)


async def test_a_mention_in_a_thread_keeps_the_thread(front: Front):
    root = await front.people.post("Checkout is slow", user="ben", channel="checkout-oncall")
    await front.people.mention("Triage checkout", user="ana", channel="checkout-oncall", thread_ts=root.ts)
    await front.settled()
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.origin == Origin(kind="mention", channel=ONCALL, thread=root.ts)


@pytest.mark.parametrize(
    "text",
    [
        "{bot} triage checkout",
        "{bot}: triage\ncheckout",
        "cc {bot} triage checkout",
        "{bot} TRIAGE  checkout",
        "{bot} \u2060tri\u00adage\u200b check\ufeffout.",
    ],
)
async def test_what_follows_the_bots_name_is_what_is_asked(front: Front, text: str):
    bot = f"<@{front.slack.app.spec.bot_user}>"
    await front.people.post(text.format(bot=bot), user="ana", channel="general")
    await front.settled()
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params["service"] == "checkout"


async def test_an_event_that_is_delivered_again_is_one_request(front: Front):
    async with front.people.faulty(redeliver_events=True):
        await front.people.mention("triage checkout", user="ana", channel="general")
        await until(lambda: front.inbox.puts >= 2, what="a second delivery")
    assert len(front.inbox.intents) == 1


@pytest.fixture
async def hasty() -> AsyncIterator[Front]:
    """A Slack with a short acknowledgement timeout."""
    async with socket_front(ack_timeout_s=0.4) as made:
        yield made


async def test_an_event_is_only_acknowledged_once_it_is_written_down(hasty: Front):
    broken = 2

    async def explode() -> None:
        nonlocal broken
        broken -= 1
        if broken >= 0:
            raise RuntimeError("the store is away")

    hasty.inbox.before = explode
    await hasty.people.mention("triage checkout", user="ana", channel="general")
    await hasty.settled()
    assert len(hasty.inbox.intents) == 1
    assert (await hasty.people.stats())["envelopes"]["retried"] == 2
    assert (await hasty.people.stats())["ephemerals"] == 0


async def test_an_event_that_can_never_be_written_down_is_told_at_the_last_try(hasty: Front):
    async def explode() -> None:
        raise RuntimeError("the store is gone")

    hasty.inbox.before = explode
    await hasty.people.mention("triage checkout", user="ana", channel="general")
    seen = await hasty.people.wait("Something broke on our side", channel="general", user="ana")
    assert seen.is_ephemeral
    assert (await hasty.people.stats())["ephemerals"] == 1


@pytest.mark.parametrize("text", ["", "hello there", "help"])
async def test_anything_else_is_answered_with_help_to_that_person_alone(front: Front, text: str):
    root = await front.people.post("Checkout is slow", user="ben", channel="general")
    await front.people.mention(text, user="ana", channel="general", thread_ts=root.ts)
    seen = await front.people.wait("Commands", channel="general", thread_ts=root.ts, user="ana")
    assert seen.is_ephemeral
    assert "@pilothouse triage" in seen.text
    assert front.inbox.intents == []


async def test_an_unknown_service_is_answered_in_the_thread_with_an_example(front: Front):
    root = await front.people.post("Checkout is slow", user="ben", channel="general")
    await front.people.mention("triage chekout", user="ana", channel="general", thread_ts=root.ts)
    seen = await front.people.wait("did you mean", channel="general", thread_ts=root.ts, user="ana")
    assert seen.is_ephemeral
    assert "@pilothouse triage checkout since 30m" in seen.text
    assert front.inbox.intents == []


async def test_messages_without_a_mention_are_acknowledged_in_silence(front: Front, caplog):
    await front.people.install({"settings": {"event_subscriptions": {"bot_events": ["message.channels"]}}})
    await front.people.post("good morning", user="ana", channel="general")

    async def delivered() -> bool:
        return bool((await front.people.stats())["envelopes"]["delivered"])

    await until(delivered, what="an envelope that was delivered")
    assert (await front.people.stats())["envelopes"]["unacked"] == 0
    assert [message.text for message in await front.people.messages("general", user="ana")] == [
        "good morning"
    ]
    assert "handler_crashed" not in caplog.text
