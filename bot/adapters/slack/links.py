"""Asks Slack for the addresses of threads."""

from __future__ import annotations

import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.failures import SLACK_ERRORS, slack_failure_of
from bot.domain.board import Topic
from bot.ports.board import MessageBoard

log = logging.getLogger(__name__)

_KEPT = 1_000


class SlackLinks:
    """Addresses of threads; each is asked for once, because it never changes."""

    def __init__(self, client: AsyncWebClient, board: MessageBoard) -> None:
        """Ask ``client`` about the messages on ``board``."""
        self._client = client
        self._board = board
        self._known: dict[str, str] = {}

    async def thread_of(self, run_id: str) -> str:
        """Return the address of a run's first message; empty if it is not posted, or not known now."""
        if run_id not in self._known:
            root = (await self._board.posted(Topic(kind="run", id=run_id))).get("root")
            if root is None or not root.ts:
                return ""
            try:
                told = await self._client.chat_getPermalink(channel=root.channel, message_ts=root.ts)
            except SLACK_ERRORS as error:
                log.info("link_unknown", extra={"run_id": run_id, "code": slack_failure_of(error).code})
                return ""
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[run_id] = str(told["permalink"])
        return self._known[run_id]
