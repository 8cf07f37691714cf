"""Writes one message of a topic: posts it once, looks for it if that is in doubt, edits it in place."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.channels import Channels
from bot.adapters.slack.failures import (
    NO_PICTURE,
    SLACK_ERRORS,
    Backoff,
    SlackFailure,
    ThrottledLogger,
    slack_failure_of,
)
from bot.adapters.slack.messages import Messages
from bot.adapters.slack.pace import Allowance, SlackRateLimits
from bot.adapters.slack.pictures import Paint, Pictures, shown
from bot.adapters.slack.refusals import LATER_S, Refusals, Style
from bot.domain.board import DesiredMessage, Hold, PostedMessage, Topic
from bot.domain.clock import Clock
from bot.domain.errors import NotFoundError
from bot.ports.board import MessageBoard
from bot.ports.budget import Budget

log = logging.getLogger(__name__)

GONE = "gone"
"""The digest of a message that was deleted, or that may no longer be edited."""

_NOT_POSTED = PostedMessage(channel="")
"""What is recorded once it is certain that a begun post did not happen."""


@dataclass(frozen=True, kw_only=True)
class RenderedTopic:
    """A topic as it should be shown: its first message, and replies to that.

    ``channel`` is a name or an id; none means the default channel.  With a ``thread`` everything is a reply
    there.
    """

    channel: str
    thread: str = ""
    messages: tuple[DesiredMessage, ...]
    quiet: bool = False
    """Nothing new is posted; existing messages are kept up to date."""
    again_in_s: float | None = None
    """Seconds after which it looks different although nothing has changed."""
    not_in: str = ""
    """The id of a channel that shows this already: there it is not posted."""


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """A topic that one presenter holds: how it should be, and how it is known to be."""

    hold: Hold
    rendered: RenderedTopic
    posted: dict[str, PostedMessage]

    @property
    def topic(self) -> Topic:
        """What the messages are about."""
        return self.hold.topic

    def head_of(self, message: DesiredMessage) -> PostedMessage | None:
        """Return what is known of the first message, if ``message`` is a reply to it."""
        head = self.rendered.messages[0]
        return self.posted.get(head.slot) if message.slot != head.slot else None

    @property
    def fields(self) -> Mapping[str, str]:
        """The topic, as fields of a log line."""
        return {"topic": self.topic.kind, "id": self.topic.id}


class Writer:
    """Writes messages; each method returns none when all is done, or the seconds after which to try again."""

    def __init__(
        self,
        *,
        board: MessageBoard,
        budget: Budget,
        client: AsyncWebClient,
        clock: Clock,
        paint: Paint,
        default_channel: str,
        style: Style,
        pace: SlackRateLimits,
        settle_s: float,
    ) -> None:
        """Use ``client``, which must never retry on its own."""
        self.outage = Backoff()
        self._board = board
        self._clock = clock
        self._pace = pace
        self._settle_s = settle_s
        self._loud = ThrottledLogger(log)
        self._messages = Messages(client)
        self._channels = Channels(client, default=default_channel)
        self._allowance = Allowance(budget, pace)
        self._pictures = Pictures(client, paint, self._allowance, loud=self._loud)
        self._refusals = Refusals(self._messages, self._channels, loud=self._loud, style=style)

    @property
    def style(self) -> Style:
        """The style of blocks that this workspace accepts, as far as is known."""
        return self._refusals.style

    async def edit(self, sheet: TopicState, message: DesiredMessage) -> float | None:
        """Bring a posted message up to date."""
        known = sheet.posted[message.slot]
        if known.digest in (message.digest, GONE):
            return None
        is_new = message.chart is not None and message.chart.digest != known.picture
        between_s = self._pace.picture_gap_s if is_new else self._pace.edit_gap_s
        gap = min(between_s, known.edited_at + between_s - self._now())
        if gap > 0 and not message.urgent:
            return gap
        ready = await self._ready(sheet, message)
        if not isinstance(ready, DesiredMessage):
            return ready
        if wait := await self._allowance.edit(urgent=message.urgent):
            return wait
        known = sheet.posted[message.slot]
        try:
            await self._messages.edit(ready, known)
        except SLACK_ERRORS as error:
            return await self._edit_failed(sheet, message, slack_failure_of(error))
        self.outage.over()
        await self._record(sheet, message, known, digest=message.digest, edited_at=self._now())
        return None

    async def _edit_failed(
        self, sheet: TopicState, message: DesiredMessage, trouble: SlackFailure
    ) -> float | None:
        if trouble.kind == "limited":
            self._allowance.pause_edits(trouble.retry_s)
            return trouble.retry_s
        if trouble.kind != "refused":
            return self._unreachable(trouble)
        if trouble.code == NO_PICTURE:
            return self._pictures.failed(message, trouble)
        wait = self._refusals.of_edit(sheet.topic, message, trouble.code)
        if wait is None:
            await self._record(sheet, message, sheet.posted[message.slot], digest=GONE)
        return wait

    async def post(self, sheet: TopicState, message: DesiredMessage) -> float | None:
        """Post a message that does not exist, or find out that it does."""
        begun = sheet.posted.get(message.slot)
        if begun is not None and begun.channel:
            wait = await self._look_for(sheet, message, begun)
            if wait is not None:
                return wait
            if sheet.posted[message.slot].ts:
                return await self.edit(sheet, message)  # it may have changed since the post
        if message.only_edit:
            if begun is not None and begun.channel:
                await self._record(sheet, message, _NOT_POSTED)
            return None
        placed = await self._reachable_place(sheet, message)
        if not isinstance(placed, tuple):
            return placed
        channel, thread = placed
        if sheet.rendered.not_in == channel:
            return None
        ready = await self._ready(sheet, message)
        if not isinstance(ready, DesiredMessage):
            return ready
        wait = await self._allowance.post(channel)
        return wait or await self._send(sheet, message, ready, channel=channel, thread=thread)

    async def _ready(self, sheet: TopicState, message: DesiredMessage) -> DesiredMessage | float:
        """Return a message as it can be sent, its picture uploaded, or the seconds after which to retry."""
        fitted, known = self._refusals.fitted(message), sheet.posted.get(message.slot, _NOT_POSTED)
        if fitted.chart is None:
            return fitted
        if known.picture != fitted.chart.digest:
            file = await self._pictures.upload(fitted.chart)
            if not isinstance(file, str):
                return file
            # Recorded before the message is sent, so that a crash in between does not upload it twice.
            known = known.model_copy(update={"file": file, "picture": fitted.chart.digest if file else ""})
            await self._record(sheet, message, known)
        return shown(fitted, file="" if self._pictures.is_hopeless(fitted.chart) else known.file)

    async def _send(
        self, sheet: TopicState, message: DesiredMessage, ready: DesiredMessage, *, channel: str, thread: str
    ) -> float | None:
        begun = {"channel": channel, "thread": thread, "digest": message.digest, "edited_at": self._now()}
        intent = sheet.posted.get(message.slot, _NOT_POSTED).model_copy(update=begun)
        await self._record(sheet, message, intent)
        try:
            ts, real_thread = await self._messages.post(sheet.topic, ready, channel=channel, thread=thread)
        except SLACK_ERRORS as error:
            return await self._post_failed(sheet, message, intent, slack_failure_of(error))
        self.outage.over()
        if real_thread != thread:
            log.error("thread_missing", extra={"channel": channel, "thread_ts": thread, **sheet.fields})
        # Recorded as if edited a little earlier, so that its first edit may come sooner than later ones.
        edited_at = self._now() - self._pace.edit_gap_s + self._pace.first_edit_s
        await self._record(sheet, message, intent, ts=ts, thread=real_thread, edited_at=edited_at)
        return None

    async def _post_failed(
        self, sheet: TopicState, message: DesiredMessage, intent: PostedMessage, trouble: SlackFailure
    ) -> float | None:
        if trouble.kind == "unsure":
            return max(
                self._settle_s, self._unreachable(trouble)
            )  # the intent stays: the post may have happened
        await self._record(sheet, message, intent.model_copy(update={"channel": "", "thread": ""}))
        if trouble.kind == "limited":
            self._allowance.pause_posts(intent.channel, trouble.retry_s)
            return trouble.retry_s
        if trouble.kind == "unreached":
            return self._unreachable(trouble)
        if trouble.code == NO_PICTURE:
            return self._pictures.failed(message, trouble)
        if message.to:
            return self._refusals.of_direct(sheet.topic, message, trouble.code)
        return await self._refusals.of_post(
            sheet.topic, message, trouble.code, channel=intent.channel, thread=intent.thread
        )

    async def _look_for(
        self, sheet: TopicState, message: DesiredMessage, begun: PostedMessage
    ) -> float | None:
        """Find out whether a begun post happened; if it did, correct the record."""
        settle = min(self._settle_s, begun.edited_at + self._settle_s - self._now())
        if settle > 0:
            return settle
        try:
            ts = await self._messages.find(sheet.topic, message.slot, begun)
        except SLACK_ERRORS as error:
            trouble = slack_failure_of(error)
            if trouble.kind != "refused":
                return self._unanswered(trouble)
            if trouble.code == "not_in_channel" and await self._refusals.joined(begun.channel):
                return 0
            # Unknown.  A missing message is worse than a repeated one.
            self._loud.log("cannot_look_back", {**sheet.fields, "code": trouble.code}, about=trouble.code)
            ts = ""
        if ts:
            await self._record(sheet, message, begun, ts=ts)
        log.info("post_in_doubt", extra={"slot": message.slot, "found": bool(ts), **sheet.fields})
        return None

    async def _reachable_place(
        self, sheet: TopicState, message: DesiredMessage
    ) -> tuple[str, str] | float | None:
        """Return where a message goes; the seconds after which to retry, or none, if that is nowhere now."""
        try:
            return await self._place(sheet, message)
        except NotFoundError as error:
            self._loud.log("no_channel", {**sheet.fields, "error": str(error)}, about=sheet.rendered.channel)
            return LATER_S
        except SLACK_ERRORS as error:
            trouble = slack_failure_of(error)
            if message.to and trouble.kind == "refused":
                return self._refusals.of_direct(sheet.topic, message, trouble.code)
            return self._unanswered(trouble)

    async def _place(self, sheet: TopicState, message: DesiredMessage) -> tuple[str, str]:
        """Return where a message goes: to a person, below the first one, or where requested."""
        if message.to:
            return await self._channels.direct(message.to), ""
        head = sheet.head_of(message)
        if head is not None and head.ts and not self._channels.is_closed(head.channel):
            thread = head.thread or head.ts
            return head.channel, "" if self._channels.is_closed(head.channel, thread=thread) else thread
        wanted, thread = sheet.rendered.channel, sheet.rendered.thread
        channel = await self._channels.find(wanted)
        if channel != wanted or self._channels.is_closed(channel, thread=thread):
            thread = ""
        return channel, thread

    async def _record(
        self, sheet: TopicState, message: DesiredMessage, posted: PostedMessage, **changed: str | float
    ) -> None:
        sheet.posted[message.slot] = posted.model_copy(update=changed)
        await self._board.record(sheet.hold, message.slot, sheet.posted[message.slot])

    def _unanswered(self, trouble: SlackFailure) -> float:
        """Return when to retry a call that changes nothing."""
        if trouble.kind == "limited":
            return trouble.retry_s
        if trouble.kind == "refused":
            self._loud.log("question_refused", {"code": trouble.code}, about=trouble.code)
            return LATER_S
        return self._unreachable(trouble)

    def _unreachable(self, trouble: SlackFailure) -> float:
        self._loud.log("slack_unreachable", {"code": trouble.code})
        return self.outage.failed()

    def _now(self) -> float:
        return self._clock.now().timestamp()
