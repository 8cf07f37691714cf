"""A workspace of one's own, a real Bolt app in it, and people who act."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, LocalSlackClient, Rules, load_workspace
from localslack.shapes import Json

MANIFEST: Json = {
    "display_information": {"name": "Helper"},
    "features": {
        "bot_user": {"display_name": "Helper"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [
            {
                "command": "/triage",
                "description": "Find the cause",
                "usage_hint": "<service>",
                "should_escape": True,
            },
            {"command": "/plain", "description": "Text as typed"},
        ],
        "shortcuts": [
            {
                "name": "Triage this",
                "type": "message",
                "callback_id": "triage_this",
                "description": "From a message",
            },
            {
                "name": "New incident",
                "type": "global",
                "callback_id": "new_incident",
                "description": "Open one",
            },
        ],
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "app_mention",
                "app_home_opened",
                "message.im",
                "reaction_added",
                "member_joined_channel",
            ]
        }
    },
}

QUICK = Rules(ack_timeout_s=3.0, event_retry_delays_s=(0.02, 0.02, 0.02), has_rate_limits=False)

Serve = Callable[[AsyncApp], AbstractAsyncContextManager[AsyncSocketModeHandler]]
Call = Callable[..., Any]


class ManualClock:
    """A clock that moves when it is told to; both readings begin at a million seconds."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def manifest() -> Json:
    return MANIFEST


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """A workspace with Slack's limits, quick retries and no rate tiers."""
    async with LocalSlack(load_workspace().with_app(name="helper", manifest=MANIFEST), rules=QUICK) as made:
        yield made


@pytest.fixture
def impatient(slack: LocalSlack) -> None:
    """Half a second to acknowledge, for the tests that wait for it to pass."""
    slack.core.delivery.ack_timeout_s = 0.5


@pytest.fixture
async def people(slack: LocalSlack) -> AsyncIterator[LocalSlackClient]:
    async with LocalSlackClient(slack.url) as client:
        yield client


@pytest.fixture
def app(slack: LocalSlack) -> AsyncApp:
    """An unmodified Bolt app whose client has another base URL; it does nothing yet."""
    return AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))


@pytest.fixture
def serve(slack: LocalSlack) -> Serve:
    """Runs a Bolt app in Socket Mode for the length of a block."""

    @asynccontextmanager
    async def run(app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
        handler = AsyncSocketModeHandler(app, slack.app_token)
        await handler.connect_async()
        try:
            yield handler
        finally:
            await handler.close_async()

    return run


@pytest.fixture
async def api(slack: LocalSlack) -> AsyncIterator[Call]:
    """Calls a Web API method with a JSON body and the bot's token; the answer."""
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with httpx.AsyncClient(
        base_url=slack.api_url, headers=headers, timeout=60, trust_env=False
    ) as http:

        async def call(method: str, **args: Any) -> Json:
            return dict((await http.post(method, json=args)).json())

        yield call
