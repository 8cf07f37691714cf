"""The address of a message leads to it, and one that is not known keeps nothing from being said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.client import open_client
from bot.adapters.slack.links import SlackLinks
from bot.domain.board import PostedMessage, Topic
from bot.testing.memory import MemoryMessageBoard
from localslack import LocalSlack

CHANNEL = "C0CHECKOUT"


@dataclass
class Chat:
    """A Slack on this machine, and a board of what was posted there."""

    client: AsyncWebClient
    slack: LocalSlack
    board: MemoryMessageBoard = field(default_factory=MemoryMessageBoard)

    async def post(self, topic: Topic, slot: str) -> str:
        """Post a message and record it; gives its ``ts``."""
        ts = str((await self.client.chat_postMessage(channel=CHANNEL, text="x"))["ts"])
        await self.board.mark(topic)
        (hold,) = await self.board.claim(limit=1, lease_s=60)
        await self.board.record(hold, slot, PostedMessage(channel=CHANNEL, ts=ts))
        await self.board.release(hold)
        return ts

    @property
    def links(self) -> SlackLinks:
        return SlackLinks(self.client, self.board)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with LocalSlack() as slack, open_client(token=slack.bot_token, api_url=slack.api_url) as client:
        yield Chat(client=client, slack=slack)


@pytest.mark.parametrize(("kind", "slot"), [("run", "root"), ("alert", "alert")])
async def test_the_first_message_of_a_topic_has_an_address(chat: Chat, kind, slot):
    topic = Topic(kind=kind, id="x1")
    ts = await chat.post(topic, slot)
    assert ts in await chat.links.message_of(topic)


async def test_what_is_not_posted_has_no_address(chat: Chat):
    assert await chat.links.message_of(Topic(kind="alert", id="a1")) == ""
    assert await chat.links.thread_of("r1") == ""


async def test_a_message_that_slack_does_not_find_has_no_address(chat: Chat):
    topic = Topic(kind="run", id="r1")
    ts = await chat.post(topic, "root")
    await chat.client.chat_delete(channel=CHANNEL, ts=ts)
    assert await chat.links.thread_of("r1") == ""
