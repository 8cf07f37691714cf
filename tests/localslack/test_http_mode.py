"""An unmodified Bolt app behind signed HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, LocalSlackClient, Rules, Workspace, load_workspace
from localslack.httpmode import signature
from localslack.shapes import Json
from tests.support.waiting import LIMIT_S

ROOM = "checkout-oncall"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


RULES = Rules(ack_timeout_s=3.0, event_retry_delays_s=(0.02, 0.02, 0.02), has_rate_limits=False)


@dataclass
class Place:
    """A port kept for the app, and the workspace that posts to it."""

    slack: LocalSlack
    socket: socket.socket
    app: AsyncApp

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The app's own aiohttp server."""
        runner = web.AppRunner(self.app.server(path="/slack/events").web_app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, self.socket).start()
        try:
            yield
        finally:
            await runner.cleanup()


Describe = Callable[[Workspace, str], Workspace]


@asynccontextmanager
async def placed(describe: Describe) -> AsyncIterator[Place]:
    """A workspace that ``describe`` tells where the app will be."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{kept.getsockname()[1]}/slack/events"
        async with LocalSlack(describe(load_workspace(), url), rules=RULES) as slack:
            client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
            yield Place(slack=slack, socket=kept, app=AsyncApp(client=client, signing_secret=SECRET))


@pytest.fixture
async def place(manifest: Json) -> AsyncIterator[Place]:
    def describe(base: Workspace, url: str) -> Workspace:
        return base.with_app(name="helper", manifest=manifest, events_url=url, signing_secret=SECRET)

    async with placed(describe) as made:
        yield made


@pytest.fixture
def app(place: Place) -> AsyncApp:
    return place.app


@pytest.fixture
async def people(place: Place) -> AsyncIterator[LocalSlackClient]:
    async with LocalSlackClient(place.slack.url) as client:
        yield client


async def test_commands_clicks_and_events_arrive_signed(place, app, people, manifest):
    @app.command("/triage")
    async def triage(ack, command, client):
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        await client.chat_postMessage(
            channel=command["channel_id"], text="root", blocks=[{"type": "actions", "elements": [button]}]
        )
        await ack("on it")

    @app.action("go")
    async def go(ack, respond):
        await ack()
        await respond("gone")

    @app.event("app_mention")
    async def mentioned(say):
        await say("hello")

    async with place.serving():
        outcome = await people.slash("/triage x", user="ana", channel=ROOM)
        assert [m["text"] for m in outcome.ephemerals] == ["on it"]
        root = await people.wait(r"\[Go\]", channel=ROOM)
        assert (await people.click(user="ana", channel=ROOM, ts=root.ts, text="Go")).ok
        await people.wait("gone", channel=ROOM, user="ana")
        await people.mention("hi", user="ana", channel=ROOM)
        await people.wait("hello", channel=ROOM)


async def test_the_events_url_answers_the_challenge(place, app, people, manifest):
    async with place.serving():
        assert await people.install(manifest)


async def test_another_secret_is_refused_by_the_app(manifest):
    def describe(base: Workspace, url: str) -> Workspace:
        return base.with_app(manifest=manifest, events_url=url, signing_secret="not the secret of the app")

    async with placed(describe) as place, LocalSlackClient(place.slack.url) as people:

        @place.app.command("/triage")
        async def triage(ack):
            await ack()

        async with place.serving():
            assert (await people.slash("/triage x", user="ana", channel=ROOM)).error == "dispatch_failed"
            assert not await people.install(manifest)


async def test_a_slow_app_is_given_up_on(place, app, people, manifest):
    late = asyncio.Event()

    @app.command("/triage")
    async def triage(ack):
        await late.wait()
        await ack()

    place.slack.core.delivery.ack_timeout_s = 0.3
    async with place.serving():
        assert (await people.slash("/triage x", user="ana", channel=ROOM)).error == "operation_timeout"
        late.set()


async def test_an_event_that_fails_comes_again_with_its_number(place, app, people, manifest):
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    @app.middleware
    async def note(req):
        await heard.put(req.headers.get("x-slack-retry-num", [None])[0])
        return BoltResponse(status=500)

    async with place.serving():
        await people.mention("hello", user="ana", channel=ROOM)
        async with asyncio.timeout(LIMIT_S):
            assert [await heard.get() for _ in range(4)] == [None, "1", "2", "3"]


async def test_a_manifest_with_urls_is_enough_for_http_mode():
    def describe(base: Workspace, url: str) -> Workspace:
        command = {"command": "/triage", "description": "d", "url": url}
        settings = {
            "socket_mode_enabled": False,
            "interactivity": {"request_url": url},
            "event_subscriptions": {"request_url": url},
        }
        manifest = {"features": {"slash_commands": [command]}, "settings": settings}
        return base.with_app(manifest=manifest, signing_secret=SECRET)

    async with placed(describe) as place, LocalSlackClient(place.slack.url) as people:

        @place.app.command("/triage")
        async def triage(ack):
            await ack("by its own url")

        async with place.serving():
            answer = await people.slash("/triage", user="ana", channel=ROOM)
            assert answer.ephemerals[0]["text"] == "by its own url"
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            headers = {"Authorization": f"Bearer {place.slack.app_token}"}
            refused = (await http.post(f"{place.slack.api_url}apps.connections.open", headers=headers)).json()
        assert refused["error"] == "socket_mode_not_enabled"


def test_the_signature_is_the_one_of_slacks_documentation():
    body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    assert (
        signature("8f742231b10e8888abcd99yyyzzz85a5", timestamp="1531420618", body=body)
        == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )
