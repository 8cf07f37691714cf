"""Fixtures that run the handlers against a local Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.handlers.fronts import Front, socket_front


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    """The handlers over Socket Mode."""
    async with socket_front() as made:
        yield made
