"""What to do when Slack refuses a post or an edit."""

from __future__ import annotations

import logging
from collections import deque
from typing import Literal

from bot.adapters.slack.channels import Channels
from bot.adapters.slack.failures import SLACK_ERRORS, ThrottledLogger, slack_failure_of
from bot.adapters.slack.messages import Messages
from bot.domain.board import DesiredMessage, Topic

log = logging.getLogger(__name__)

Style = Literal["classic", "plan"]
"""Which blocks the views use: those that every workspace has, or the newer ones."""

LATER_S = 60.0
"""In seconds; when to retry what only a person can fix."""

_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
_THREAD = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"})
_OUTSIDE = frozenset({"not_in_channel", "user_not_in_channel"})
_CHANNEL = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "posting_to_channel_denied",
        "messages_tab_disabled",
    }
)
_EDIT = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_KEPT = 200
_SHORT = 3_000


class Refusals:
    """Remembers, for this process, what Slack does not accept."""

    def __init__(
        self, messages: Messages, channels: Channels, *, loud: ThrottledLogger, style: Style
    ) -> None:
        """Begin with the preferred ``style``."""
        self.style: Style = style
        self._messages = messages
        self._channels = channels
        self._loud = loud
        self._plain: deque[str] = deque(maxlen=_KEPT)
        self._joined: set[str] = set()

    def fitted(self, message: DesiredMessage) -> DesiredMessage:
        """Return a message as it can be sent: without its blocks if they were refused."""
        if message.digest not in self._plain:
            return message
        return message.model_copy(update={"blocks": (), "chart": None, "text": message.text[:_SHORT]})

    async def of_post(
        self, topic: Topic, message: DesiredMessage, code: str, *, channel: str, thread: str
    ) -> float:
        """Prepare another way; return the seconds after which to try it."""
        if code in _BLOCKS:
            return self._simpler(topic, message, code)
        if code in _THREAD:
            fields = {"channel": channel, "thread_ts": thread, "code": code}
            self._loud.log("thread_closed", fields, about=f"{channel}/{thread}")
            self._channels.close(channel, thread=thread)
            return 0
        if code in _OUTSIDE and channel not in self._joined and await self.joined(channel):
            return 0
        if code in _OUTSIDE | _CHANNEL:
            self._loud.log("channel_closed", {"channel": channel, "code": code}, about=channel)
            self._channels.close(channel)
            self._joined.discard(channel)
            return 0
        self._loud.log("post_refused", _fields(topic, message, code), about=code)
        return LATER_S

    def of_direct(self, topic: Topic, message: DesiredMessage, code: str) -> float | None:
        """Prepare another way for a direct message; return none if this person cannot get it now."""
        if code in _BLOCKS:
            return self._simpler(topic, message, code)
        self._loud.log(
            "direct_message_refused", {**_fields(topic, message, code), "user": message.to}, about=code
        )
        return None

    def of_edit(self, topic: Topic, message: DesiredMessage, code: str) -> float | None:
        """Prepare another way, as ``of_post``; return none if the message must stay as it is, for good."""
        if code in _BLOCKS:
            return self._simpler(topic, message, code)
        fields = _fields(topic, message, code)
        if code in _EDIT | _CHANNEL | _OUTSIDE:
            log.warning("message_gone", extra=fields)
            return None
        self._loud.log("edit_refused", fields, about=code)
        return LATER_S

    async def joined(self, channel: str) -> bool:
        """Try to join a channel; return whether that worked."""
        try:
            await self._messages.join(channel)
        except SLACK_ERRORS as error:
            log.info("channel_not_joined", extra={"channel": channel, "code": slack_failure_of(error).code})
            return False
        log.info("channel_joined", extra={"channel": channel})
        self._joined.add(channel)
        return True

    def _simpler(self, topic: Topic, message: DesiredMessage, code: str) -> float:
        fields = _fields(topic, message, code)
        if self.style != "classic":
            self.style = "classic"
            self._loud.log("blocks_refused", fields, level=logging.WARNING)
            return 0
        if message.digest in self._plain:
            self._loud.log("text_refused", fields, about=message.digest)
            return LATER_S
        self._loud.log("classic_blocks_refused", fields, about=message.digest)
        self._plain.append(message.digest)
        return 0


def _fields(topic: Topic, message: DesiredMessage, code: str) -> dict[str, str]:
    return {"topic": topic.kind, "id": topic.id, "slot": message.slot, "code": code}
