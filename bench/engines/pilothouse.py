"""This engine in real workers: journal, work, phases and the board's marks; only Slack is left out.

``python -m bench.engines.pilothouse URL`` is one worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.engines.contender import ENDED, Place, Start
from bench.engines.processes import bring_up
from bot.adapters.redis.redis_stores import redis_stores
from bot.adapters.redis.store import RedisStore, connect
from bot.adapters.redis.work import RedisWork
from bot.bootstrap import worker_name
from bot.canary.judge import judge_case
from bot.domain.catalogue import Catalogue
from bot.domain.clock import SystemClock
from bot.domain.intent import Intent
from bot.domain.model import JsonObject
from bot.domain.people import GroupMembers, Person, Profile
from bot.domain.runs.event import Origin, RunStarted
from bot.engine.deps import Deps
from bot.engine.engine import Engine
from bot.engine.plugins import Plugins, scan
from bot.loader.loader import LoadedLibrary, load_runbooks
from bot.ports.journal import Journal
from bot.ports.work import WorkHandlers
from bot.reducers import REDUCERS
from bot.testing.stores import gatekeeper_of

_RUNBOOKS = Path(__file__).resolve().parent.parent / "runbooks"
_LEASE_S = 10.0
_CONCURRENCY = 100


class _Colleagues:
    """A directory without Slack: everyone is a member of every group."""

    async def profile(self, user_id: str) -> Profile:
        """Return a member."""
        return Profile(id=user_id, name=user_id, standing="member")

    async def groups_of(self, _user_id: str, *, among: Sequence[str], fresh: bool = False) -> frozenset[str]:
        """Return all of them."""
        del fresh
        return frozenset(among)

    async def members_of(self, _group: str) -> GroupMembers:
        """Return no one: there is no chat to ask them in."""
        return GroupMembers()


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The engine without Slack."""

    store: RedisStore
    journal: Journal
    engine: Engine
    library: LoadedLibrary

    def handlers(self) -> WorkHandlers:
        """Advance runs, and push the id of each that was let go of; there are no intents and no checks."""

        async def run(run_id: str) -> None:
            await self.engine.advance(run_id)
            await self.store.client.rpush(ENDED, run_id)

        return WorkHandlers(run=run, intent=_no_intents, check=_no_checks, give_up=self.engine.give_up)

    async def start(self, run_id: str, *, runbook: str = "five", params: JsonObject | None = None) -> None:
        """Start a run as the desk does once an intent is accepted."""
        event = RunStarted(
            at=SystemClock().now(),
            runbook=self.library.get(runbook),
            params=params or {},
            requested_by=Person(id="U1", name="ana"),
            origin=Origin(kind="cli"),
        )
        await self.journal.start(run_id, event)


@contextlib.asynccontextmanager
async def assembled(
    redis_url: str,
    *,
    plugins: Plugins | None = None,
    runbooks: Path = _RUNBOOKS,
    catalogue: Catalogue | None = None,
) -> AsyncIterator[Parts]:
    """Join the parts as the composition root does, without Slack."""
    found = scan("bench.plugins", third_parties=False) if plugins is None else plugins
    library = load_runbooks((runbooks,), plugins=found)
    store, clock = connect(redis_url), SystemClock()
    stores = redis_stores(store, clock)
    async with httpx.AsyncClient() as http:
        deps = Deps(
            stores=stores,
            library=library,
            plugins=found,
            reducers=REDUCERS,
            judge=judge_case,
            catalogue=catalogue or Catalogue(),
            clock=clock,
            http=http,
            gatekeeper=gatekeeper_of(stores),
            directory=_Colleagues(),
            settings={"watch_s": 600},
        )
        try:
            yield Parts(store=store, journal=stores.journal, engine=Engine(deps), library=library)
        finally:
            await store.aclose()


def work_of(parts: Parts) -> RedisWork:
    """Make what carries runs to a worker."""
    return RedisWork(parts.store, consumer=worker_name(), lease_s=_LEASE_S, concurrency=_CONCURRENCY)


class Pilothouse:
    """This engine."""

    name = "pilothouse"
    package = "bot"

    @contextlib.asynccontextmanager
    async def running(self, place: Place, *, workers: int) -> AsyncIterator[Start]:
        """Bring workers up; a triage is started by the journal's own script."""
        async with contextlib.AsyncExitStack() as stack:
            await bring_up(stack, "bench.engines.pilothouse", place, workers=workers)
            parts = await stack.enter_async_context(assembled(place.redis_url))
            yield parts.start


async def _no_intents(intent: Intent) -> None:
    raise AssertionError(f"nobody asks for {intent.type} here")


async def _no_checks(monitor: str, slot_s: float) -> None:
    raise AssertionError(f"nobody watches {monitor} here, at {slot_s}")


async def _work(redis_url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with assembled(redis_url) as parts:
        serving = asyncio.create_task(work_of(parts).serve(parts.handlers()))
        print("ready", flush=True)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_work(sys.argv[1]))
