"""What the client does by itself: nothing twice, and nothing for a topic that is somebody else's by now."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.adapters.slack import client as slack_client
from bot.adapters.slack.client import NOT_AFTER, open_client
from bot.domain.errors import HoldLostError


class Clock:
    """The monotonic clock, read out from a list whose last moment lasts."""

    def __init__(self, *moments: float) -> None:
        self._moments = list(moments)

    def monotonic(self) -> float:
        return self._moments.pop(0) if len(self._moments) > 1 else self._moments[0]


@pytest.fixture
async def heard() -> AsyncIterator[tuple[str, list[str]]]:
    """A Slack that notes what it is asked."""
    calls: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.json_response({"ok": True, "ts": "1.0"})

    app = web.Application()
    app.router.add_post("/api/{method}", hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", calls
    await runner.cleanup()


@pytest.mark.parametrize(
    ("moments", "refused"),
    [((10.0,), HoldLostError), ((9.0, 10.0), aiohttp.ClientError)],
    ids=["before it asks for a connection", "while it gets a connection"],
)
async def test_what_was_stopped_and_goes_on_too_late_sends_nothing(heard, monkeypatch, moments, refused):
    url, calls = heard
    async with open_client(token="xoxb-1", api_url=url) as client:
        monkeypatch.setattr(slack_client, "time", Clock(*moments))
        token = NOT_AFTER.set(10.0)
        with pytest.raises(refused):
            await client.chat_postMessage(channel="C1", text="hello")
        NOT_AFTER.reset(token)
    assert calls == []


async def test_in_time_it_is_sent_once(heard, monkeypatch):
    url, calls = heard
    async with open_client(token="xoxb-1", api_url=url) as client:
        monkeypatch.setattr(slack_client, "time", Clock(9.0))
        token = NOT_AFTER.set(10.0)
        await client.chat_postMessage(channel="C1", text="hello")
        NOT_AFTER.reset(token)
    assert calls == ["/api/chat.postMessage"]
