"""Answers reach one person, somehow, and never stop what goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.adapters.slack.client import open_client
from bot.adapters.slack.notifier import SlackNotifier
from bot.domain.intent import Notice
from localslack import LocalSlack, LocalSlackClient

ANA, OLGA = "U0ANA00001", "U0OLGA0001"
CHANNEL, GENERAL = "C0CHECKOUT", "C0GENERAL1"


@dataclass
class Desk:
    """A notifier in front of a Slack on this machine."""

    slack: LocalSlack
    people: LocalSlackClient
    notifier: SlackNotifier

    async def direct(self, user: str) -> list[str]:
        """Read the bot's direct messages to somebody."""
        store = self.slack.core.store
        channel = store.direct(user, self.slack.app.spec.bot_user)
        return [seen.text for seen in await self.people.messages(channel.id, user=user)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with (
        LocalSlack() as slack,
        LocalSlackClient(slack.url) as people,
        open_client(token=slack.bot_token, api_url=slack.api_url) as client,
    ):
        yield Desk(slack=slack, people=people, notifier=SlackNotifier(client))


async def test_a_notice_is_seen_by_its_person_alone(desk: Desk):
    await desk.notifier.notify(Notice(user=ANA, channel=CHANNEL, text="Not you."))
    (seen,) = await desk.people.messages(CHANNEL, user="ana")
    assert (seen.text, seen.is_ephemeral) == ("Not you.", True)
    assert await desk.people.messages(CHANNEL, user="ben") == []


async def test_a_notice_is_shown_in_its_thread(desk: Desk):
    root = await desk.people.post("hello", user="ben", channel=CHANNEL)
    await desk.notifier.notify(Notice(user=ANA, channel=CHANNEL, thread=root.ts, text="Not you."))
    seen = await desk.people.messages(CHANNEL, user="ana", thread_ts=root.ts)
    assert [item.text for item in seen] == ["hello", "Not you."]


@pytest.mark.parametrize(
    "notice",
    [
        Notice(user=ANA, channel="", text="Not you."),
        Notice(user=ANA, channel="C0NOWHERE1", text="Not you."),
        Notice(user=OLGA, channel=GENERAL, text="Not you."),
    ],
    ids=["no-channel", "unknown-channel", "not-in-it"],
)
async def test_who_cannot_see_it_there_gets_a_direct_message(desk: Desk, notice: Notice):
    await desk.notifier.notify(notice)
    assert await desk.direct(notice.user) == ["Not you."]


async def test_trouble_that_passes_is_waited_for(desk: Desk):
    await desk.people.faults(rate_limit={"chat.postEphemeral": 1}, retry_after_s=1)
    await desk.notifier.notify(Notice(user=ANA, channel=CHANNEL, text="Not you."))
    assert len(await desk.people.messages(CHANNEL, user="ana")) == 1


async def test_what_cannot_be_told_is_logged_and_not_raised(desk: Desk, caplog):
    await desk.people.faults(
        fail={"chat.postEphemeral": "channel_not_found", "chat.postMessage": "account_inactive"}
    )
    await desk.notifier.notify(Notice(user=ANA, channel=CHANNEL, text="Not you."))
    (record,) = [record for record in caplog.records if record.message == "notice_not_told"]
    assert record.__dict__["code"] == "account_inactive"
