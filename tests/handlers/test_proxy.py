"""A proxy of the environment is not for a Slack on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.client import is_direct
from tests.handlers.fronts import Front, socket_front


@pytest.fixture
async def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with socket_front() as made:
        yield made


async def test_commands_arrive_and_views_are_published(behind_a_proxy: Front):
    people = behind_a_proxy.people
    assert (await people.slash("/triage checkout", user="ana", channel="general")).ok
    await people.open_home(user="ana")
    async with asyncio.timeout(5):
        while await people.home(user="ana") is None:  # noqa: ASYNC110  # the page tells nobody
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("http://127.0.0.1:8900/api/", True),
        ("http://[::1]:8900/api/", True),
        ("http://localhost:8900/api/", True),
        ("https://slack.internal/api/", True),
        ("https://slack.com/api/", False),
    ],
)
def test_only_loopback_and_exceptions_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, *, url: str, direct: bool
):
    monkeypatch.setenv("NO_PROXY", "slack.internal")
    assert is_direct(url) is direct
