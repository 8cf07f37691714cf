"""Workers that die at a chosen write, and a world outside that counts what was done to it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import httpx

from bot.domain.errors import ActionFailedError
from bot.domain.intent import CastVote, Intent
from bot.domain.people import Person
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Runbook
from bot.engine.deps import Reducer
from bot.engine.engine import Engine
from bot.engine.plugins import Context, Plugins, action, plugins_in
from bot.services.intent_handler import IntentHandler
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.worlds import (
    BEN,
    BENCH,
    CHI,
    HandClock,
    People,
    Told,
    deps_over,
    renew,
    started,
    world_plugins,
)
from tests.unit.engine.small_world import CATALOGUE, Books, diagnose

Side = Literal["before", "after"]
Death = tuple[int, Side]
"""The worker's own write, counted from 1, and the side of it on which the worker dies."""

_WRITES = frozenset({"append", "park", "finish", "interject", "start", "wake", "acquire", "release"})
_MOST_TURNS = 300
_TICK_S = 5


class DiedError(Exception):
    """The worker is gone: nothing that it does from here on reaches anybody."""


class Life:
    """One worker's life: it dies at the write it was destined to, or never."""

    def __init__(self, death: Death | None) -> None:
        self.dead = False
        self._number, self._side = death or (0, "before")
        self._writes = 0

    async def reach(self, method: str, call: Awaitable[Any]) -> Any:
        """Let one call of a port through, unless this worker is dead."""
        self._writes += method in _WRITES
        fatal = method in _WRITES and self._writes == self._number
        if self.dead or (fatal and self._side == "before"):
            self.dead = True
            call.close()  # type: ignore[attr-defined]  # a coroutine that never runs
            raise DiedError(method)
        answer = await call
        if fatal:
            self.dead = True
            raise DiedError(method)
        return answer


class Frail:
    """A port as a mortal worker reaches it."""

    def __init__(self, port: object, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def mortal(*args: Any, **kwargs: Any) -> Any:
            return await self._life.reach(name, method(*args, **kwargs))

        return mortal


async def _is_there(ctx: Context, *, name: str) -> ActionResult | None:
    assert ctx.effect is not None
    return _done(name) if f"{name}:{ctx.effect.key}" in BENCH.effects else None


@action(specialist="test", look=_is_there)
async def seen(ctx: Context, *, name: str) -> ActionResult:
    """Do something at a target that can be looked at."""
    return _do(ctx, name)


@action(specialist="test", in_doubt="retry")
async def keyed(ctx: Context, *, name: str) -> ActionResult:
    """Do something at a target that knows idempotency keys."""
    assert ctx.effect is not None
    return _done(name) if f"{name}:{ctx.effect.key}" in BENCH.effects else _do(ctx, name)


@action(specialist="test", in_doubt="ask")
async def blind(ctx: Context, *, name: str) -> ActionResult:
    """Do something at a target that knows nothing and cannot be asked."""
    return _do(ctx, name)


def _do(ctx: Context, name: str) -> ActionResult:
    assert ctx.effect is not None
    if name in BENCH.down:
        raise ActionFailedError(f"{name} was refused.", hint="Ask its owner.")
    BENCH.effects.append(f"{name}:{ctx.effect.key}")
    return _done(name)


def _done(name: str) -> ActionResult:
    return ActionResult(summary=f"did {name}", before={"name": name})


def frail_plugins() -> Plugins:
    """The plugins of the small world and ``frail.seen``, ``frail.keyed`` and ``frail.blind``."""
    own = {plugin.name: plugin for plugin in plugins_in(sys.modules[__name__])}
    return Plugins({**world_plugins().by_name, **own})


@dataclass
class FrailWorld:
    """Shared ports, and one mortal worker at a time that carries the run on from wherever the last one fell."""

    deaths: Iterator[Death]
    voters: list[Person] = field(default_factory=lambda: [BEN, CHI])
    reducer: Reducer = diagnose
    fallen: int = 0

    def __post_init__(self) -> None:
        renew()
        self.clock, self.store, self.books = HandClock(), MemoryStore(), Books()
        self.stores = memory_stores(self.clock, store=self.store)
        self._hire()

    def _hire(self) -> None:
        life = Life(next(self.deaths, None))
        journal: Any = Frail(self.store, life)
        locks: Any = Frail(self.stores.locks, life)
        deps = deps_over(
            replace(self.stores, journal=journal, locks=locks),
            http=httpx.AsyncClient(transport=httpx.AsyncBaseTransport()),  # nothing here uses the network
            library=self.books,
            catalogue=CATALOGUE,
            clock=self.clock,
            plugins=frail_plugins(),
            reducers={"rank_causes": self.reducer},
            settings={"watch_s": 30},
        )
        self.engine = Engine(deps)
        self.desk = IntentHandler(deps, directory=People(), notifier=Told())

    async def live(self, runbook: Runbook, *, run_id: str = "r1") -> Run:
        """Carry a run to its end, one message at a time; a message is gone only once it was handled."""
        await self.store.start(run_id, started(runbook))
        for _ in range(_MOST_TURNS):
            run = await self.read(run_id)
            if run.state == "finished":
                return run
            if self.voters and run.waiting_for is not None:
                await self._handled(self._click(run, self.voters.pop(0)))
            elif self.store._ready.empty():
                await self._time_passes()
            else:
                await self._handled(self.store._ready.get_nowait())
        raise AssertionError(f"the run never ended: {await self.read(run_id)}")

    async def read(self, run_id: str = "r1") -> Run:
        """Read a run as its journal tells it."""
        return fold(run_id, await self.store.load(run_id))

    async def _handled(self, message: str | Intent) -> None:
        """Deliver a message, again and again, until a worker lives through it."""
        while True:
            try:
                if isinstance(message, str):
                    await self.engine.advance(message)
                else:
                    await self.desk.handle(message)
            except DiedError:
                self.fallen += 1
                self._hire()
            else:
                return

    async def _time_passes(self) -> None:
        for _ in range(_MOST_TURNS):
            self.clock.forward(_TICK_S)
            if await self.store.pump(now=self.clock.now()):
                return
        raise AssertionError("nobody wakes the run any more")

    def _click(self, run: Run, who: Person) -> CastVote:
        assert run.waiting_for is not None
        return CastVote(
            key=f"click of {who.id}",
            at=self.clock.now(),
            approval_id=run.waiting_for.id,
            verdict="approve",
            by=who,
            channel="C0CHECKOUT",
        )
