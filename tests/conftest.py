"""Real servers that more than one folder of tests needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.redis.store import Store
from tests.valkeys import fresh_store


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """The adapters' shared store on a fresh, real Valkey with its append-only file on."""
    async with fresh_store() as made:
        yield made
