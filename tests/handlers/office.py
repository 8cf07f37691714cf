"""The whole bot in one process over memory twins, in front of a Slack on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from bot.adapters.charts.painter import Painter
from bot.adapters.rendering import Renderer
from bot.adapters.slack.app import build_app, serve_socket
from bot.adapters.slack.client import Identity, open_client
from bot.adapters.slack.directory import SlackDirectory
from bot.adapters.slack.links import SlackLinks
from bot.adapters.slack.notifier import SlackNotifier
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.presenter import Presenter, PresenterConfig
from bot.domain.clock import SystemClock
from bot.domain.people import Person
from bot.domain.runs.event import Origin, RunStarted
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Runbook
from bot.engine.engine import Engine
from bot.engine.stores import Stores
from bot.ports.work import WorkHandlers
from bot.services.intent_handler import IntentHandler
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from handlers import register_all
from handlers.context import HandlerContext
from localslack import LocalSlack, LocalSlackClient, VisibleMessage
from tests.handlers.desks import CATALOGUE, TRIAGE, SmallLibrary
from tests.handlers.fronts import ANA, ONCALL, connected, workspace_with
from tests.support.waiting import until
from tests.support.worlds import deps_over, renew

PATIENT = SlackRateLimits(edit_gap_s=3600, first_edit_s=3600)
"""So slow that only what is urgent is edited during a test."""


@dataclass
class Office:
    """The bot at work, and the people around it."""

    slack: LocalSlack
    people: LocalSlackClient
    stores: Stores
    store: MemoryStore

    async def start(
        self, runbook: Runbook, *, run_id: str = "r1", channel: str = ONCALL, **params: str
    ) -> None:
        """Start a run that Ana asked for, in the on-call channel unless another is given."""
        event = RunStarted(
            at=SystemClock().now(),
            runbook=runbook,
            params={"service": "checkout", **params},
            requested_by=Person(id=ANA, name="ana"),
            origin=Origin(kind="command", channel=channel),
        )
        await self.store.start(run_id, event)

    async def run(self, run_id: str = "r1") -> Run:
        return fold(run_id, await self.store.load(run_id))

    async def said_to(self, person: str, text: str) -> VisibleMessage:
        """Return the direct message of the bot to a person with this text, now or soon."""
        bot = self.slack.app.spec.bot_user
        channel = self.slack.core.store.direct(self.slack.core.store.user(person).id, bot)
        return await self.people.wait(text, channel=channel.id, timeout_s=30)

    async def said(self, text: str) -> VisibleMessage:
        """Return the message of the on-call channel or its threads with this text, now or soon."""
        return await self.people.wait(text, channel=ONCALL, timeout_s=30)

    async def notified(self, person: str) -> list[str]:
        """Return why a person was notified, in order."""
        return [one["why"] for one in await self.people.notifications(user=person)]


@asynccontextmanager
async def open_office(
    *, pace: SlackRateLimits = PATIENT, runbooks: Sequence[Runbook] = ()
) -> AsyncIterator[Office]:
    """Run every role: handlers over Socket Mode, the engine, and a presenter."""
    renew()
    async with (
        workspace_with() as slack,
        LocalSlackClient(slack.url) as people,
        open_client(token=slack.bot_token, api_url=slack.api_url) as client,
        httpx.AsyncClient(timeout=60) as http,
    ):
        clock, store, identity = SystemClock(), MemoryStore(), Identity(client)
        stores = memory_stores(store=store)
        directory = SlackDirectory(client, identity=identity, catalogue=CATALOGUE)
        notifier, links = SlackNotifier(client), SlackLinks(client, stores.board)
        library = SmallLibrary({runbook.name: runbook for runbook in runbooks} or {"triage": TRIAGE})
        desk = HandlerContext(
            stores=stores,
            library=library,
            catalogue=CATALOGUE,
            clock=clock,
            directory=directory,
            notifier=notifier,
            links=links,
        )
        app = build_app(identity=identity, signing_secret=slack.signing_secret)
        register_all(app, desk)
        deps = deps_over(
            stores,
            http=http,
            library=library,
            catalogue=CATALOGUE,
            clock=clock,
            directory=directory,
            links=links,
        )
        engine = Engine(deps)
        intents = IntentHandler(deps, directory=directory, notifier=notifier)
        presenter = Presenter(
            board=stores.board,
            budget=stores.budget,
            client=client,
            render=Renderer(stores, catalogue=CATALOGUE, clock=clock, links=links),
            clock=clock,
            paint=Painter().paint,
            default_channel="incidents",
            style="classic",
            pace=pace,
            shift=PresenterConfig(poll_s=0.02, settle_s=0.2),
        )

        async def no_check(*_: object) -> None:
            """Check nothing."""

        work = WorkHandlers(run=engine.advance, intent=intents.handle, check=no_check, give_up=engine.give_up)
        roles = [
            serve_socket(app, app_token=slack.app_token, identity=identity, ping_s=0.5),
            store.serve(work),
            presenter.run(),
        ]
        tasks = [asyncio.ensure_future(role) for role in roles]
        try:
            await connected(slack)
            yield Office(slack=slack, people=people, stores=stores, store=store)
            for task in tasks:
                assert not task.done() or task.exception() is None, task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def posts_settled(office: Office) -> int:
    """Return how many messages the bot has posted, once nothing is left to show."""
    board = office.store.board
    await until(lambda: not board._due, what="a board with nothing left to show")
    return int((await office.people.stats())["posts"])
