"""A service behind a real HAProxy, with one stable slot or three."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bench.rollouts.floor import Floor, floor_with


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with floor_with() as made:
        yield made


@pytest.fixture
async def rolling() -> AsyncIterator[Floor]:
    async with floor_with(("a", "b", "c")) as made:
        yield made
