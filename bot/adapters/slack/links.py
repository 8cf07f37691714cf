"""Asks Slack for the addresses of messages and threads."""

from __future__ import annotations

import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.failures import SLACK_ERRORS, slack_failure_of
from bot.domain.board import Topic
from bot.ports.board import MessageBoard

log = logging.getLogger(__name__)

_KEPT = 1_000
_FIRST = {"run": "root"}
"""The slot of a topic's first message; elsewhere its kind."""


class SlackLinks:
    """Addresses of messages; each is asked for once, because it never changes."""

    def __init__(self, client: AsyncWebClient, board: MessageBoard) -> None:
        """Ask ``client`` about the messages on ``board``."""
        self._client = client
        self._board = board
        self._known: dict[Topic, str] = {}

    async def thread_of(self, run_id: str) -> str:
        """Return the address of a run's first message; empty if it is not posted, or not known now."""
        return await self.message_of(Topic(kind="run", id=run_id))

    async def message_of(self, topic: Topic) -> str:
        """Return the address of a topic's first message; empty if it is not posted, or not known now."""
        if topic not in self._known:
            posted = await self._board.posted(topic)
            root = posted.get(_FIRST.get(topic.kind, topic.kind))
            if root is None or not root.ts:
                return ""
            try:
                told = await self._client.chat_getPermalink(channel=root.channel, message_ts=root.ts)
            except SLACK_ERRORS as error:
                fields = {"topic": f"{topic.kind}:{topic.id}", "code": slack_failure_of(error).code}
                log.info("link_unknown", extra=fields)
                return ""
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[topic] = str(told["permalink"])
        return self._known[topic]
