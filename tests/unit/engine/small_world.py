"""A small world for the engine: memory twins, one number, and runbooks as short as a line."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.diagnosis import Cause, CauseKind, Diagnosis
from bot.domain.intent import CastVote
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Runbook
from bot.engine.deps import Deps, ReduceInput
from bot.engine.engine import Engine
from bot.engine.stores import Stores
from bot.services.intent_handler import IntentHandler
from bot.testing.memory import MemoryStore
from tests.support.worlds import BEN, HandClock, People, Told, started

CATALOGUE = Catalogue(services=(Service(name="checkout", approvers=("oncall",)),))


def step(name, **more):
    return {"id": name, "probe": "worlds.read", "with": {"name": name}, **more}


def act(name, **more):
    return {"id": name, "action": "worlds.act", "with": {"name": name}, **more}


def book(*phases, name="story", **more):
    return Runbook.model_validate(
        {
            "name": name,
            "summary": "A story.",
            "params": {"service": {"type": "service"}},
            "phases": phases,
            **more,
        }
    )


def fix(*steps, **more):
    return {"kind": "pipeline", "id": "fix", "steps": steps, "approval": {}, **more}


UNDO = {"action": "worlds.act", "with": {"name": "undo-{{ result.before.name }}"}}


class Books:
    """A library of whatever the test puts in."""

    def __init__(self):
        self.books = {}

    def get(self, name):
        return self.books[name]

    def names(self):
        return tuple(self.books)


@dataclass
class World:
    """The engine, its desk and everything around them."""

    store: MemoryStore
    clock: HandClock
    people: People
    told: Told
    books: Books
    engine: Engine
    desk: IntentHandler
    deps: Deps

    @property
    def stores(self) -> Stores:
        return self.deps.stores

    async def begin(self, runbook, run_id="r1", **params):
        await self.store.start(run_id, started(runbook, at=self.clock.now(), **params))
        return await self.go(run_id)

    async def go(self, run_id="r1") -> Run:
        await self.engine.advance(run_id)
        return await self.read(run_id)

    async def read(self, run_id="r1") -> Run:
        return fold(run_id, await self.store.load(run_id))

    async def vote(self, run, who, verdict="approve", key="k1"):
        gate = list(run.approvals.values())[-1]
        intent = CastVote(
            key=key, at=self.clock.now(), approval_id=gate.id, verdict=verdict, by=who, channel="C0CHECKOUT"
        )
        await self.desk.handle(intent)
        return await self.read(run.id)


def diagnose(given: ReduceInput) -> Diagnosis:
    verdict = given.arguments.get("verdict", "cause_found")
    cause = Cause(
        kind=CauseKind.BAD_RELEASE,
        service="checkout",
        summary="1.4.2 fails",
        confidence=0.9,
        data={"version": "1.4"},
    )
    return Diagnosis(service="checkout", verdict=verdict, summary="1.4.2 fails", causes=(cause,))


async def approved(world, *phases):
    run = await world.begin(book(*phases))
    await world.vote(run, BEN)
    return await world.go()
