"""The small world, fresh for each test."""

from __future__ import annotations

import httpx
import pytest

from bot.engine.deps import Deps
from bot.engine.engine import Engine
from bot.services.intent_handler import IntentHandler
from bot.testing.alerts import MemoryAlertStore
from bot.testing.feedback import MemoryFeedbackStore
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryChangeLedger, MemoryLocks
from tests.support.worlds import HandClock, People, Told, gate_desk, monitor_desk, renew, world_plugins
from tests.unit.engine.small_world import CATALOGUE, Books, World, diagnose


@pytest.fixture
async def world():
    renew()
    store, clock, people, told, books = MemoryStore(), HandClock(), People(), Told(), Books()
    async with httpx.AsyncClient() as http:
        deps = Deps(
            journal=store,
            library=books,
            plugins=world_plugins(),
            reducers={"rank_causes": diagnose},
            catalogue=CATALOGUE,
            clock=clock,
            http=http,
            ledger=MemoryChangeLedger(clock),
            locks=MemoryLocks(),
            settings={"watch_s": 30},
        )
        alerts = MemoryAlertStore(clock)
        monitors = monitor_desk(deps, store=store, alerts=alerts)
        feedback = MemoryFeedbackStore()
        desk = IntentHandler(
            deps,
            directory=people,
            alerts=alerts,
            board=store.board,
            teller=told,
            monitors=monitors,
            gates=gate_desk(deps, directory=people, teller=told),
            feedback=feedback,
        )
        yield World(store, clock, people, told, books, Engine(deps), desk, deps, alerts, feedback)
