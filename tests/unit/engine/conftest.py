"""The small world, fresh for each test."""

from __future__ import annotations

import httpx
import pytest

from bot.engine.engine import Engine
from bot.services.intent_handler import IntentHandler
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.worlds import HandClock, People, Told, deps_over, renew
from tests.unit.engine.small_world import CATALOGUE, Books, World, diagnose


@pytest.fixture
async def world():
    renew()
    store, clock, people, told, books = MemoryStore(), HandClock(), People(), Told(), Books()
    async with httpx.AsyncClient(timeout=60) as http:
        deps = deps_over(
            memory_stores(clock, store=store),
            http=http,
            library=books,
            catalogue=CATALOGUE,
            clock=clock,
            reducers={"rank_causes": diagnose},
            settings={"watch_s": 30},
            directory=people,
        )
        desk = IntentHandler(deps, directory=people, notifier=told)
        yield World(store, clock, people, told, books, Engine(deps), desk, deps)
