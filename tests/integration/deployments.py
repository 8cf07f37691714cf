"""A small bot with the runbooks that ship, in front of a real HAProxy: what tests of deployments play on."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.rollouts.floor import Floor, floor_with
from bot.domain.board import DesiredMessage
from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import SystemClock
from bot.domain.deployments.gate import Gates
from bot.domain.intent import CastVote, StartRun, SteerRun
from bot.domain.runs.approval import Verdict
from bot.domain.runs.event import Event, Origin
from bot.domain.runs.run import Run, fold
from bot.engine.deps import Deps
from bot.engine.engine import Engine
from bot.engine.plugins import scan
from bot.loader.loader import load_runbooks
from bot.services.intent_handler import IntentHandler
from bot.services.parsing.command_line import parse_words
from bot.services.run_starter import run_id_of
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, People, Told, deps_over

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
QUICK = "pause 1s patience 8s weights 20,50"


@dataclass
class Stage:
    """The bot, HAProxy, and what came of it."""

    floor: Floor
    store: MemoryStore
    deps: Deps
    desk: IntentHandler
    told: Told

    async def ask(self, runbook: str, words: str, *, key: str = "k") -> str:
        """Type a command as Ana; gives the run's id once it waits or has ended."""
        book = self.deps.library.get(runbook)
        params = parse_words(book, words, catalogue=self.deps.catalogue)
        origin = Origin(kind="command", channel="C1")
        await self.desk.handle(
            StartRun(key=key, at=self.deps.clock.now(), runbook=runbook, params=params, by=ANA, origin=origin)
        )
        await self.go(run_id_of(key))
        return run_id_of(key)

    async def go(self, run_id: str) -> Run:
        """Carry a run on until it waits or has ended."""
        await Engine(self.deps).advance(run_id)
        return await self.read(run_id)

    async def read(self, run_id: str) -> Run:
        return fold(run_id, await self.store.load(run_id))

    async def events(self, run_id: str) -> tuple[Event, ...]:
        return await self.store.load(run_id)

    async def approve(self, run_id: str, *, verdict: Verdict = "approve") -> Run:
        """Approve the latest gate as Ben, or reject it, and carry the run on."""
        gate = list((await self.read(run_id)).approvals.values())[-1]
        await self.vote(gate.id, verdict=verdict)
        return await self.go(run_id)

    async def vote(self, approval_id: str, *, verdict: Verdict = "approve") -> None:
        """Click as Ben."""
        vote = CastVote(
            key=f"v{approval_id}",
            at=self.deps.clock.now(),
            approval_id=approval_id,
            verdict=verdict,
            by=BEN,
            channel="C1",
        )
        await self.desk.handle(vote)

    async def recorded(self, run_id: str) -> tuple[str, str, str, str]:
        """Tell how a deployment is recorded: how it ended, the versions before and after, what it takes back."""
        kept = await self.deps.stores.deployments.get(run_id)
        return kept.outcome, kept.previous_version, kept.version, kept.rollback_of

    async def steer(self, run_id: str, word: str) -> None:
        intent = SteerRun(key=word, at=self.deps.clock.now(), run_id=run_id, word=word, by=BEN, channel="C1")
        await self.desk.handle(intent)

    async def judged(self, run_id: str, *, looks: int = 2) -> Run:
        """Wait until the judge has looked so often."""

        async def enough() -> Run | None:
            run = await self.read(run_id)
            steps = [step for phase in run.phases.values() for step in phase.steps.values()]
            return run if any(len(step.readings) >= looks for step in steps) else None

        run = await until(enough, what=f"{looks} looks of the judge")
        assert run is not None
        return run


def effects(events: tuple[Event, ...]) -> list[str]:
    """List the steps whose effects were intended, in order; undos with a ``-`` before."""
    intended = [event for event in events if event.type == "effect_intended"]
    return [f"-{event.step}" if event.undo else event.step for event in intended]


def actions_in(card: DesiredMessage) -> set[str]:
    """List the buttons on a message."""
    return {
        element["action_id"]
        for block in card.blocks
        for element in block.get("elements", ())
        if "action_id" in element
    }


def failed(seen: Counter[str]) -> int:
    """Count the requests that did not get a clean answer, other than what a bad version itself answers."""
    return sum(count for text, count in seen.items() if text.startswith("broken") and text != "broken 500")


@contextlib.asynccontextmanager
async def stage_with(
    stable: tuple[str, ...] = ("blue",),
    *,
    gates: Gates | None = None,
    sources: dict[str, dict[str, str]] | None = None,
    beside: dict[str, dict[str, str]] | None = None,
) -> AsyncIterator[Stage]:
    """Bring it up with 1.4.1 of the service ``shop``, which has these sources, and targets ``beside`` HAProxy."""
    async with floor_with(stable) as floor:
        clock, store, people, told = SystemClock(), MemoryStore(), People(), Told()
        target = {**floor.ctx().catalogue.get("shop").target, **(beside or {})}
        shop = Service(
            name="shop", sources=sources or {}, target=target, emergency_rollback=True, gates=gates or Gates()
        )
        stores = replace(memory_stores(clock, store=store), ledger=floor.ledger)
        plugins = scan("bot.probes", "bot.actions", third_parties=False)
        deps = deps_over(
            stores,
            http=floor.http,
            library=load_runbooks([RUNBOOKS], plugins=plugins),
            catalogue=Catalogue(services=(shop,)),
            clock=clock,
            plugins=plugins,
            settings={"watch_s": 1},
            directory=people,
        )
        desk = IntentHandler(deps, directory=people, notifier=told)
        yield Stage(floor, store, deps, desk, told)
