"""What every probe's tests need: a context over a catalogue made up for the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock, SystemClock
from bot.domain.diagnoses.change import Change
from bot.engine.plugins import Context, Plugins
from bot.engine.stores import Stores
from bot.testing.stores import memory_context, memory_stores


class KeptLedger:
    """A ledger that holds what a test put there."""

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        self._changes = list(changes)

    async def record(self, change: Change) -> None:
        self._changes.append(change)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        return tuple(change for change in self._changes if change.service == service)


MakeContext = Callable[..., Context]


@pytest.fixture
async def context() -> AsyncIterator[MakeContext]:
    async with httpx.AsyncClient(timeout=60) as client:

        def make(
            *services: dict[str, Any],
            timeout_s: float = 30.0,
            changes: Sequence[Change] = (),
            clock: Clock | None = None,
            stores: Stores | None = None,
            plugins: Plugins | None = None,
        ) -> Context:
            clock = clock or SystemClock()
            stores = stores or replace(memory_stores(clock), ledger=KeptLedger(changes))
            return memory_context(
                catalogue=Catalogue.model_validate({"services": services}),
                http=client,
                clock=clock,
                stores=stores,
                plugins=plugins,
                timeout_s=timeout_s,
                run_id="run",
            )

        yield make
