"""Presenters over a board, in front of a Slack on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.adapters.charts.painter import Painter
from bot.adapters.slack.client import open_client
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.presenter import Presenter, PresenterConfig, RenderedTopic, Style
from bot.domain.board import DesiredMessage, Hold, PostedMessage, Topic
from bot.domain.clock import SystemClock
from bot.domain.errors import NotFoundError
from bot.ports.board import MessageBoard
from bot.ports.budget import Budget
from bot.testing.memory import MemoryMessageBoard
from bot.testing.records import MemoryBudget
from localslack import LocalSlack, LocalSlackClient, VisibleMessage
from tests.support.waiting import until

CHANNEL = "C0CHECKOUT"
RUN = Topic(kind="run", id="r1")
QUICK = SlackRateLimits(edit_gap_s=0.3, first_edit_s=0.1)
SHIFT = PresenterConfig(poll_s=0.02, settle_s=0.2)


def message(slot: str, text: str, *, urgent: bool = False) -> DesiredMessage:
    """Make a message of one section."""
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": text}},)
    return DesiredMessage(slot=slot, text=text, blocks=blocks, urgent=urgent)


def run_of(*texts: str, channel: str = CHANNEL, thread: str = "") -> RenderedTopic:
    """Make a run with a root and replies: ``root``, ``phase:1``, ``phase:2`` …"""
    slots = ["root", *(f"phase:{number}" for number in range(1, len(texts)))]
    messages = tuple(message(slot, text) for slot, text in zip(slots, texts, strict=True))
    return RenderedTopic(channel=channel, thread=thread, messages=messages)


@dataclass
class Screen:
    """The state, the board and the Slack that should show it."""

    slack: LocalSlack
    people: LocalSlackClient
    board: MessageBoard = field(default_factory=MemoryMessageBoard)
    budget: Budget = field(default_factory=MemoryBudget)
    state: dict[Topic, RenderedTopic] = field(default_factory=dict)
    classic: dict[Topic, RenderedTopic] = field(default_factory=dict)
    renders: int = 0
    painter: Painter = field(default_factory=Painter)

    async def show(self, topic: Topic, rendered: RenderedTopic) -> None:
        """Change the state of a topic."""
        self.state[topic] = rendered
        await self.board.mark(topic)

    async def render(self, topic: Topic, *, style: Style) -> RenderedTopic:
        """Give the state as it is."""
        self.renders += 1
        found = {**self.state, **(self.classic if style == "classic" else {})}
        if topic not in found:
            raise NotFoundError(f"There is no {topic.kind} {topic.id}.")
        return found[topic]

    @asynccontextmanager
    async def presenter(
        self,
        *,
        board: MessageBoard | None = None,
        pace: SlackRateLimits = QUICK,
        shift: PresenterConfig = SHIFT,
        default_channel: str = "incidents",
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run one presenter; cancelled at the end."""
        async with open_client(token=self.slack.bot_token, api_url=self.slack.api_url) as client:
            presenter = Presenter(
                board=board or self.board,
                budget=self.budget,
                client=client,
                render=self.render,
                clock=SystemClock(),
                paint=self.painter.paint,
                default_channel=default_channel,
                pace=pace,
                shift=shift,
            )
            task = asyncio.create_task(presenter.run())
            try:
                yield task
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def settled(self) -> None:
        """Wait until no topic of the memory board needs another look."""
        board = self.board
        assert isinstance(board, MemoryMessageBoard)
        await until(lambda: not board._due, what="a board with nothing left to show")

    async def roots(self, channel: str = CHANNEL) -> list[VisibleMessage]:
        """Read what the channel shows at top level."""
        seen = await self.people.messages(channel)
        return [item for item in seen if item.thread_ts in (None, item.ts)]

    async def replies(self, ts: str, channel: str = CHANNEL) -> list[str]:
        """Read the texts below a message."""
        return [item.text for item in await self.people.messages(channel, thread_ts=ts) if item.ts != ts]


class CrashingBoard:
    """A board whose presenter gets stuck at one record, as if its process stopped there."""

    def __init__(self, inner: MessageBoard, *, at_ts: bool) -> None:
        """``at_ts``: stuck after the post, before it is recorded; else after the intent, before the post."""
        self._inner = inner
        self._at_ts = at_ts
        self.stuck = asyncio.Event()

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Hold, ...]:
        return await self._inner.claim(limit=limit, lease_s=lease_s)

    async def release(self, hold: Hold, *, again_in_s: float | None = None) -> None:
        """Give nothing back: a dead process does not."""

    async def mark(self, topic: Topic) -> None:
        await self._inner.mark(topic)

    async def posted(self, topic: Topic) -> dict[str, PostedMessage]:
        return await self._inner.posted(topic)

    async def record(self, hold: Hold, slot: str, posted: PostedMessage) -> None:
        if not self._at_ts:
            await self._inner.record(hold, slot, posted)
        if bool(posted.ts) == self._at_ts:
            self.stuck.set()
            await asyncio.Event().wait()
        await self._inner.record(hold, slot, posted)

    async def wait(self, *, timeout_s: float) -> None:
        await self._inner.wait(timeout_s=timeout_s)
