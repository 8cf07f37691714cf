"""Real servers that more than one folder of tests needs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import hypothesis
import pytest

from bot.adapters.redis.store import RedisStore
from tests.support.valkeys import fresh_store

hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")  # what landed once must not fail by a new draw of lots


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    """The adapters' shared store on a fresh, real Valkey with its append-only file on."""
    async with fresh_store() as made:
        yield made
