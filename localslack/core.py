"""One running workspace with all its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from localslack.clock import MachineClock, WorkspaceClock
from localslack.delivery import App, BackgroundTasks, EnvelopeDelivery
from localslack.errors import ActError
from localslack.events import Events
from localslack.faults import FaultSwitches
from localslack.feed import Feed
from localslack.journal import ActivityLog
from localslack.keeping import Keeper
from localslack.manifest import parse_manifest
from localslack.messenger import Messenger
from localslack.notifications import Notifications
from localslack.rates import Rates
from localslack.shapes import Json
from localslack.shown import SlackJson
from localslack.socketmode import Sockets
from localslack.stats import Stats
from localslack.store import WorkspaceStore
from localslack.tickets import Tickets
from localslack.views import Views
from localslack.workspace import AppSpec, Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """The times and limits of a workspace; the defaults are Slack's. Times are in seconds."""

    ack_timeout_s: float = 3.0
    trigger_ttl_s: float = 3.0
    response_url_ttl_s: float = 1800.0
    event_retry_delays_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    has_rate_limits: bool = True


@dataclass(slots=True)
class MenuState:
    """What a person has set in the menus of one message, by block and action."""

    chosen: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)

    def of(self, channel: str, ts: str, user: str) -> dict[str, dict[str, Any]]:
        """Return that person's settings in that message; write to them to change them."""
        return self.chosen.setdefault((channel, ts, user), {})


class Core:
    """Everything behind the Web API, the control API and the page."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        rules: Rules,
        clock: WorkspaceClock | None = None,
        keep: Path | None = None,
    ) -> None:
        self.workspace = workspace
        self.rules = rules
        self.clock: WorkspaceClock = clock or MachineClock()
        self.store = WorkspaceStore(workspace, self.clock)
        self.shown = SlackJson(self.store)
        self.feed = Feed()
        self.stats = Stats()
        self.faults = FaultSwitches()
        self.journal = ActivityLog(self.clock, self.feed)
        self.background = BackgroundTasks()
        self.settled = MenuState()
        self.rates = Rates(self.clock, enabled=rules.has_rate_limits)
        self.tickets = Tickets(
            self.clock, trigger_ttl_s=rules.trigger_ttl_s, response_url_ttl_s=rules.response_url_ttl_s
        )
        self.delivery = EnvelopeDelivery(
            clock=self.clock,
            faults=self.faults,
            stats=self.stats,
            journal=self.journal,
            background=self.background,
            ack_timeout_s=rules.ack_timeout_s,
            event_retry_delays_s=rules.event_retry_delays_s,
        )
        self.apps = {spec.id: self._installed(spec) for spec in workspace.apps}
        self.events = Events(
            store=self.store,
            shown=self.shown,
            clock=self.clock,
            delivery=self.delivery,
            apps=self.apps.values,
        )
        self.notifications = Notifications(self.store)
        self.messenger = Messenger(
            store=self.store,
            shown=self.shown,
            feed=self.feed,
            events=self.events,
            stats=self.stats,
            notifications=self.notifications,
        )
        self.views = Views(store=self.store, clock=self.clock, feed=self.feed)
        self.keeper = None if keep is None else Keeper(keep, store=self.store, feed=self.feed)
        self._name_bots()

    def app(self, key: str | None = None) -> App:
        """Return the app with that id or name; the first one when ``key`` is None.

        Raises:
            ActError: ``app_not_found`` (404).
        """
        if key is None:
            return next(iter(self.apps.values()))
        for app in self.apps.values():
            if key in {app.spec.id, app.spec.name, app.spec.bot_user}:
                return app
        raise ActError("app_not_found", f"No app is called {key!r}.", status=404)

    def app_with_token(self, token: str) -> App | None:
        """Return the app with that bot or app-level token."""
        tokens = ((app, {app.spec.bot_token, app.spec.app_token}) for app in self.apps.values())
        return next((app for app, known in tokens if token in known), None)

    def app_with_command(self, name: str) -> App | None:
        """Return the app that offers a slash command."""
        return next((app for app in self.apps.values() if app.manifest.command(name)), None)

    async def clicked(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the outcome of an act; with the double-click switch on, of the first of two made at once."""
        if not self.faults.double_click:
            return await act()
        first, _second = await asyncio.gather(act(), act())
        return first

    async def install(self, app: App, raw: Json) -> bool:
        """Replace an app's manifest; return whether its events URL, if any, answered the challenge.

        Raises:
            ActError: ``invalid_manifest``; the old one stays.
        """
        app.manifest = parse_manifest(raw)
        self._name_bots()
        self.feed.tell({"type": "workspace"})
        return await self.delivery.verify(app)

    def reset(self) -> None:
        """Forget every message, view, file, fault and count. Sockets, tokens and manifests stay."""
        self.store.load(self.workspace)
        self._name_bots()
        self.views.forget()
        self.tickets.forget()
        self.rates.forget()
        self.settled.chosen.clear()
        self.stats.clear()
        self.faults.clear()
        self.journal.entries.clear()
        self.notifications.entries.clear()
        self.feed.tell({"type": "reset"})

    async def close(self) -> None:
        """End every task, socket and watch."""
        self.feed.close()
        await self.background.close()
        for app in self.apps.values():
            await app.sockets.close()
        await self.delivery.close()
        if self.keeper is not None:
            self.keeper.write()

    def _name_bots(self) -> None:
        for app in self.apps.values():
            bot = self.store.users[app.spec.bot_user]
            real_name = app.manifest.display_name or app.spec.name
            self.store.users[bot.id] = bot.model_copy(update={"real_name": real_name})

    def _installed(self, spec: AppSpec) -> App:
        sockets = Sockets(spec.id, on_change=lambda: self.feed.tell({"type": "workspace"}))
        return App(spec=spec, manifest=parse_manifest(spec.manifest), sockets=sockets)
