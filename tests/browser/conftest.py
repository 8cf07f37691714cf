"""A whole world with a browser in front of it, and people who sit down at its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from demo.scenarios.play import warm_up
from demo.scenarios.stage import stage
from demo.scenarios.world import DemoWorld, running
from tests.browser.people import Room
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.patience import patient_runbooks


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoWorld]:
    """Everything up, and a shop that has traded for a while."""
    runbooks = patient_runbooks(tmp_path_factory.mktemp("patient"))
    async with running(watch_s=5, runbooks=runbooks) as made:
        async with stage(made) as on:
            await warm_up(on)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def room(world: DemoWorld, browser: Browser) -> AsyncIterator[Room]:
    """People at their own machines; whatever goes wrong in a page's script fails the test."""
    made = Room(world, browser)
    yield made
    await made.close()
    assert made.problems == []
