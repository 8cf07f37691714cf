"""What a player can reach: the local Slack, the shop, and the bot's own journal and board to read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.deployments import RedisDeploymentStore
from bot.adapters.redis.stores.journal import RedisJournal
from bot.domain.board import PostedMessage, Topic
from bot.domain.clock import Clock, SystemClock
from bot.domain.runs.run import Run, fold
from demo.scenarios.waiting import until
from demo.scenarios.world import DemoWorld
from localslack import ControlError, LocalSlackClient, VisibleMessage

_POSTED_S = 60.0


@dataclass(frozen=True, kw_only=True)
class DemoStage:
    """What a player can reach."""

    world: DemoWorld
    slack: LocalSlackClient
    shop: httpx.AsyncClient
    journal: RedisJournal
    board: RedisMessageBoard
    deployments: RedisDeploymentStore
    clock: Clock

    async def run(self, run_id: str) -> Run:
        """Return a run."""
        return fold(run_id, await self.journal.load(run_id))

    async def posted(self, run_id: str, slot: str) -> PostedMessage:
        """Wait until a message of a run is in Slack."""
        return await until(lambda: self._posted(run_id, slot), f"{slot} in Slack", _POSTED_S)

    async def _posted(self, run_id: str, slot: str) -> PostedMessage | None:
        found = (await self.board.posted(Topic(kind="run", id=run_id))).get(slot)
        return found if found is not None and found.ts else None

    async def press(self, message: PostedMessage | VisibleMessage, action_id: str, *, user: str) -> None:
        """Click a button as soon as it is there: a message is edited a moment after its run has changed."""

        async def pressed() -> bool | None:
            try:
                await self.slack.click(user=user, channel=message.channel, ts=message.ts, action_id=action_id)
            except ControlError as error:
                if error.code != "element_not_found":
                    raise
                return None
            return True

        await until(pressed, f"the button {action_id}", _POSTED_S)

    async def when(self, run_id: str, true: Callable[[Run], bool], what: str, within_s: float) -> Run:
        """Wait until a run meets a condition."""

        async def look() -> Run | None:
            run = await self.run(run_id)
            return run if true(run) else None

        return await until(look, what, within_s)


@asynccontextmanager
async def stage(world: DemoWorld) -> AsyncIterator[DemoStage]:
    """Open the connections of a player."""
    store, clock = connect(world.redis_url), SystemClock()
    try:
        async with (
            LocalSlackClient(world.slack_url) as slack,
            httpx.AsyncClient(base_url=world.shop_url) as shop,
        ):
            yield DemoStage(
                world=world,
                slack=slack,
                shop=shop,
                journal=RedisJournal(store),
                board=RedisMessageBoard(store),
                deployments=RedisDeploymentStore(store, clock),
                clock=clock,
            )
    finally:
        await store.aclose()
