"""A proxy from the environment is not used for a local Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.slack.client import is_direct
from tests.handlers.fronts import Front, socket_front
from tests.support.waiting import until


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
    assert await until(lambda: people.home(user="ana"), what="a Home tab")


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
