"""A worker whose runs take turns at one service of a real Valkey; as a program, one that hangs in its first turn."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from bot.adapters.redis.redis_stores import redis_stores
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.work import RedisWork
from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import SystemClock
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.runbook import Runbook
from bot.engine.engine import Engine
from bot.engine.plugins import Context, Plugins, action, plugins_in
from bot.ports.work import WorkHandlers
from tests.support.valkeys import opened
from tests.support.worlds import deps_over
from tests.unit.engine.small_world import Books

RAN = "the-world:ran"
"""A list: the runs that have changed the service, in order."""
HUNG = "the-world:hung"
LEASE_S = 0.5
CHANGE = Runbook.model_validate(
    {
        "name": "deploy-canary",
        "summary": "Change something.",
        "params": {"service": {"type": "service"}},
        "phases": [
            {
                "kind": "pipeline",
                "id": "rollout",
                "steps": [{"id": "a", "action": "queueing.change", "no_undo": "a test"}],
            }
        ],
    }
)


@dataclass
class Outside:
    """What the action changes, and whether it ever comes back."""

    client: Any = None
    hangs: bool = False


OUTSIDE = Outside()


@action(specialist="test", in_doubt="retry")
async def change(ctx: Context) -> ActionResult:
    """Write down whose turn it was."""
    if OUTSIDE.hangs:
        await OUTSIDE.client.set(HUNG, ctx.run_id)
        await asyncio.Event().wait()
    await OUTSIDE.client.rpush(RAN, ctx.run_id)
    return ActionResult(summary="changed")


@contextlib.asynccontextmanager
async def at_work(store: RedisStore, *, name: str, hangs: bool = False) -> AsyncIterator[None]:
    """Let a worker carry on what there is."""
    OUTSIDE.client, OUTSIDE.hangs = store.client, hangs
    async with httpx.AsyncClient(timeout=60) as http:
        engine = Engine(
            deps_over(
                redis_stores(store, SystemClock()),
                http=http,
                library=Books(),
                catalogue=Catalogue(services=(Service(name="checkout"),)),
                clock=SystemClock(),
                plugins=Plugins({plugin.name: plugin for plugin in plugins_in(sys.modules[__name__])}),
            )
        )
        handlers = WorkHandlers(run=engine.advance, intent=_nothing, check=_nothing, give_up=engine.give_up)
        work = RedisWork(store, consumer=name, lease_s=LEASE_S, concurrency=300, drain_s=0)
        task = asyncio.create_task(work.serve(handlers))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _nothing(*_: object) -> None:
    """Handle nothing."""


async def _hang(url: str) -> None:
    async with opened(url) as store, at_work(store, name="doomed", hangs=True):
        await asyncio.Event().wait()


if __name__ == "__main__":
    from tests.integration import queueing  # so that the plugins are found under one name

    asyncio.run(queueing._hang(sys.argv[1]))  # of this module
