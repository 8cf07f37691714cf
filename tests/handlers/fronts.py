"""The handlers against a local Slack, over Socket Mode or signed HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import uvicorn
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette

from bot.adapters.slack.app import EVENTS_PATH, build_app, http_routes, serve_socket
from bot.adapters.slack.client import Identity, open_client
from bot.adapters.slack.directory import SlackDirectory
from bot.adapters.slack.manifest import manifest_of
from bot.adapters.slack.notifier import SlackNotifier
from bot.engine.stores import Stores
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from handlers import modules, register_all
from handlers.context import HandlerContext
from localslack import LocalSlack, LocalSlackClient, Rules, load_workspace
from tests.handlers.desks import CATALOGUE, RecordingInbox, memory_desk
from tests.support.waiting import until

ANA, BEN, GIL, OLGA = "U0ANA00001", "U0BEN00001", "U0GIL00001", "U0OLGA0001"
ONCALL = "C0CHECKOUT"


@dataclass
class Front:
    """A running web role, and the people who use it."""

    slack: LocalSlack
    people: LocalSlackClient
    desk: HandlerContext
    inbox: RecordingInbox
    store: MemoryStore
    app: AsyncApp

    @property
    def stores(self) -> Stores:
        return self.desk.stores

    async def settled(self, count: int = 1) -> None:
        """Wait until this many intents are stored."""
        await until(lambda: len(self.inbox.intents) >= count, what=f"{count} intents")


def workspace_with(*, http: str = "", ack_timeout_s: float = 3.0) -> LocalSlack:
    """Set up the default workspace with the bot's own manifest."""
    manifest = dict(manifest_of(modules(), url=http))
    workspace = load_workspace().with_app(name="pilothouse", manifest=manifest)
    return LocalSlack(
        workspace, rules=Rules(ack_timeout_s=ack_timeout_s, event_retry_delays_s=(0.0, 0.1, 0.1))
    )


@asynccontextmanager
async def open_front(slack: LocalSlack) -> AsyncIterator[tuple[Front, Identity]]:
    """Set up the handlers; their directory and notifier are Slack's own, everything else is in memory."""
    inbox, store = RecordingInbox(), MemoryStore()
    async with (
        open_client(token=slack.bot_token, api_url=slack.api_url) as client,
        LocalSlackClient(slack.url) as people,
    ):
        identity = Identity(client)
        desk = memory_desk(
            replace(memory_stores(store=store), inbox=inbox),
            directory=SlackDirectory(client, identity=identity, catalogue=CATALOGUE),
            notifier=SlackNotifier(client),
        )
        app = build_app(identity=identity, signing_secret=slack.signing_secret)
        register_all(app, desk)
        front = Front(slack=slack, people=people, desk=desk, inbox=inbox, store=store, app=app)
        yield front, identity


@asynccontextmanager
async def socket_front(*, ack_timeout_s: float = 3.0) -> AsyncIterator[Front]:
    """Run the handlers over two Socket Mode connections."""
    async with (
        workspace_with(ack_timeout_s=ack_timeout_s) as slack,
        open_front(slack) as (front, identity),
    ):
        serving = asyncio.create_task(
            serve_socket(front.app, app_token=slack.app_token, identity=identity, ping_s=0.5)
        )
        try:
            await connected(slack)
            yield front
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@asynccontextmanager
async def http_front() -> AsyncIterator[Front]:
    """Run the handlers behind signed HTTP, on a real server."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}{EVENTS_PATH}"
        async with workspace_with(http=url) as slack, open_front(slack) as (front, _):
            web = Starlette(routes=http_routes(front.app, signing_secret=slack.signing_secret))
            server = uvicorn.Server(uvicorn.Config(web, log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield front
            finally:
                server.should_exit = True
                await serving


async def connected(slack: LocalSlack, count: int = 2) -> None:
    """Wait until this many connections are open."""
    await until(lambda: len(slack.app.sockets) >= count, what=f"{count} connections")
