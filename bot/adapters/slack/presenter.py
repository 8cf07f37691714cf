"""Makes Slack show the current state: posts what is missing, edits what changed, repeats nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.client import NOT_AFTER
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.pictures import Paint
from bot.adapters.slack.refusals import Style
from bot.adapters.slack.writer import RenderedTopic, TopicState, Writer
from bot.domain.board import Hold, Topic
from bot.domain.clock import Clock
from bot.domain.errors import HoldLostError, NotFoundError
from bot.ports.board import MessageBoard
from bot.ports.budget import Budget

__all__ = ["Presenter", "PresenterConfig", "Render", "RenderedTopic", "Style"]

log = logging.getLogger(__name__)

_CRASHED_S = 5.0
_LEAST_WAIT_S = 0.05


class Render(Protocol):
    """Renders a topic from its current state."""

    async def __call__(self, topic: Topic, *, style: Style) -> RenderedTopic:
        """Render a topic.

        Raises:
            NotFoundError: the topic is no longer stored.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class PresenterConfig:
    """How a presenter works; all values but ``at_once`` are in seconds."""

    at_once: int = 4
    """The topics that it shows at the same time."""
    lease_s: float = 16
    """How long a topic is reserved for the presenter that holds it."""
    hold_s: float = 14.5
    """When it abandons its work on a topic; less than ``lease_s``."""
    work_s: float = 6
    """When it starts nothing more for a topic, but releases it."""
    poll_s: float = 0.25
    """How soon it sees what other processes changed."""
    settle_s: float = 1
    """How long it waits before it looks for a message whose post was not answered."""


class Presenter:
    """One of any number of renderers over one board; the latest state wins."""

    def __init__(
        self,
        *,
        board: MessageBoard,
        budget: Budget,
        client: AsyncWebClient,
        render: Render,
        clock: Clock,
        paint: Paint,
        default_channel: str,
        style: Style = "plan",
        pace: SlackRateLimits | None = None,
        shift: PresenterConfig | None = None,
    ) -> None:
        """Use ``client``, which must never retry on its own."""
        self._board = board
        self._render = render
        self._shift = shift or PresenterConfig()
        self._writer = Writer(
            board=board,
            budget=budget,
            client=client,
            clock=clock,
            paint=paint,
            default_channel=default_channel,
            style=style,
            pace=pace or SlackRateLimits(),
            settle_s=self._shift.settle_s,
        )

    async def run(self) -> None:
        """Show what changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            busy: set[asyncio.Task[None]] = set()
            while True:
                await asyncio.sleep(self._writer.outage.rest_s)
                while len(busy) >= self._shift.at_once:
                    await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
                until = time.monotonic() + self._shift.lease_s
                holds = await self._claim(self._shift.at_once - len(busy))
                for hold in holds:
                    task = group.create_task(self._show(hold, until=until))
                    busy.add(task)
                    task.add_done_callback(busy.discard)
                if not holds:
                    await self._board.wait(timeout_s=self._shift.poll_s)

    async def _claim(self, limit: int) -> tuple[Hold, ...]:
        try:
            return await self._board.claim(limit=limit, lease_s=self._shift.lease_s)
        except Exception:
            log.exception("board_unreachable")
            await asyncio.sleep(1)
            return ()

    async def _show(self, hold: Hold, *, until: float) -> None:
        """Update one topic as far as limits allow, and release it; ``until`` is when our lease ends."""
        NOT_AFTER.set(until)
        again: float | None = self._shift.settle_s
        fields = {"topic": hold.topic.kind, "id": hold.topic.id}
        try:
            async with asyncio.timeout(self._shift.hold_s):
                again = await self._sync(hold)
        except TimeoutError:
            log.warning("topic_slow", extra=fields)
        except HoldLostError as error:
            log.warning("topic_taken_over", extra={**fields, "error": str(error)})
        except NotFoundError as error:
            log.warning("topic_unknown", extra={**fields, "error": str(error)})
            again = None
        except Exception:
            log.exception("topic_crashed", extra=fields)
            again = _CRASHED_S
        finally:
            await self._release(hold, again)

    async def _release(self, hold: Hold, again: float | None) -> None:
        again_in_s = None if again is None else max(again, _LEAST_WAIT_S)
        try:
            await self._board.release(hold, again_in_s=again_in_s)
        except Exception:
            log.exception("board_unreachable")  # the topic is due again when its lease ends

    async def _sync(self, hold: Hold) -> float | None:
        """Do what is allowed now; return the seconds after which there is more to do, or none."""
        until = time.monotonic() + self._shift.work_s
        sheet = TopicState(
            hold=hold,
            rendered=await self._render(hold.topic, style=self._writer.style),
            posted=await self._board.posted(hold.topic),
        )
        again = sheet.rendered.again_in_s
        waits = [] if again is None else [again]
        may_post = not sheet.rendered.quiet
        for message in sheet.rendered.messages:
            known = sheet.posted.get(message.slot)
            is_posted = known is not None and bool(known.ts)
            began = known is not None  # an unanswered post may exist: it is resolved in any case
            stays_away = message.only_edit and not began
            resolves = began and (sheet.rendered.quiet or message.only_edit)
            if stays_away or not (is_posted or may_post or resolves):
                continue  # replies keep their order: nothing is posted before what comes before it
            if time.monotonic() >= until:
                return 0
            wait = await (self._writer.edit if is_posted else self._writer.post)(sheet, message)
            if not message.to:
                may_post = may_post and (is_posted or wait is None)
            if wait is not None:
                waits.append(wait)
        return min(waits, default=None)
