"""Sends private notices to one person in Slack."""

from __future__ import annotations

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.failures import SLACK_ERRORS, SlackFailure, slack_failure_of
from bot.domain.intent import Notice

log = logging.getLogger(__name__)

_TRIES = 3
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 3.0


class SlackNotifier:
    """Posts ephemeral messages, or a direct message to a person who cannot see one there."""

    def __init__(self, client: AsyncWebClient) -> None:
        """Send through ``client``."""
        self._client = client

    async def notify(self, notice: Notice) -> None:
        """Send the notice to its recipient; a failure is logged, not raised."""
        if notice.in_channel and notice.thread:
            await self._try(notice.but(thread=""), direct=False)
        trouble = await self._try(notice, direct=not notice.channel)
        if trouble is not None and trouble.kind == "refused" and notice.channel:
            log.info("notice_goes_direct", extra={"user": notice.user, "code": trouble.code})
            trouble = await self._try(notice, direct=True)
        if trouble is not None:
            fields = {"user": notice.user, "channel": notice.channel, "code": trouble.code}
            log.error("notice_not_told", extra=fields)

    async def _try(self, notice: Notice, *, direct: bool) -> SlackFailure | None:
        """Send; return why it could not be sent.  A repeated notice is better than a missing one."""
        trouble: SlackFailure | None = None
        for attempt in range(_TRIES):
            try:
                await self._send(notice, direct=direct)
            except SLACK_ERRORS as error:
                trouble = slack_failure_of(error)
                if trouble.kind == "refused":
                    return trouble
                await asyncio.sleep(min(_LONGEST_PAUSE_S, max(trouble.retry_s, _PAUSE_S * 2**attempt)))
            else:
                return None
        return trouble

    async def _send(self, notice: Notice, *, direct: bool) -> None:
        if direct:
            await self._client.chat_postMessage(channel=notice.user, text=notice.text)
        else:
            await self._client.chat_postEphemeral(
                channel=notice.channel, user=notice.user, text=notice.text, thread_ts=notice.thread or None
            )
