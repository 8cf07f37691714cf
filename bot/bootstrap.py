"""The composition root: the only module that knows every concrete class."""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp

from bot.adapters.charts.painter import Painter
from bot.adapters.files.catalogue_file import CatalogueError, load_catalogue
from bot.adapters.observability.health import Health
from bot.adapters.observability.meters import Meters
from bot.adapters.observability.observed import ObservedBudget, ObservedJournal, Observer, Observers
from bot.adapters.redis.gauges import Gauges
from bot.adapters.redis.redis_stores import redis_stores
from bot.adapters.redis.store import RedisStore, connect
from bot.adapters.redis.stores.archive import RunArchive
from bot.adapters.redis.work import RedisWork
from bot.adapters.rendering import Renderer
from bot.adapters.slack.app import build_app
from bot.adapters.slack.client import Identity, open_client
from bot.adapters.slack.directory import SlackDirectory
from bot.adapters.slack.links import SlackLinks
from bot.adapters.slack.notifier import SlackNotifier
from bot.adapters.slack.presenter import Presenter
from bot.canary.judge import judge_case
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock, SystemClock
from bot.domain.errors import SettingsError
from bot.engine.deps import Deps
from bot.engine.engine import Engine
from bot.engine.plugins import Plugins, scan
from bot.engine.stores import Stores
from bot.environment import environment
from bot.loader.loader import LoadedLibrary, load_runbooks
from bot.loader.monitor_rules import monitor_problems
from bot.loader.probe_rules import checklist_problems
from bot.loader.yaml_positions import Problem, shown_path
from bot.ports.journal import Journal
from bot.ports.work import WorkHandlers
from bot.ranker_version import ranker_version
from bot.reducers import REDUCERS
from bot.services.gate_state import StateGatekeeper
from bot.services.intent_handler import IntentHandler
from bot.services.monitor_runner import MonitorRunner
from bot.settings import Settings
from handlers import register_all
from handlers.context import HandlerContext

if TYPE_CHECKING:
    from bot.adapters.observability.tracing import Traces

_DAY_S = 86_400
_HTTP_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Every part, made once for a process."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    library: LoadedLibrary
    store: RedisStore
    stores: Stores
    work: RedisWork
    http: httpx.AsyncClient
    archive: RunArchive
    handlers: WorkHandlers
    presenter: Presenter
    operating: Health
    identity: Identity
    app: AsyncApp


def load_plugins() -> Plugins:
    """Return the probes and actions: ours, then those of other packages by entry point."""
    return scan("bot.probes", "bot.actions")


def worker_name() -> str:
    """Name this process so that no other, now or later, has the same name."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@contextlib.asynccontextmanager
async def assemble(settings: Settings) -> AsyncIterator[Parts]:
    """Build every part, and close at the end what needs closing.

    Raises:
        BotError: the settings, the catalogue or a runbook have problems; all are listed.
    """
    settings.require_slack()
    catalogue = load_catalogue(settings.catalogue, environment())
    plugins = load_plugins()
    library = load_runbooks(settings.runbooks, plugins=plugins)
    wrong = (
        *monitor_problems(catalogue, plugins=plugins, runbooks=library.names()),
        *checklist_problems(catalogue, plugins=plugins),
    )
    if wrong:
        file = shown_path(settings.catalogue)
        raise CatalogueError([Problem(file=file, text=text) for text in wrong])
    store = connect(
        settings.redis_url,
        prefix=settings.redis_prefix,
        shards=settings.shards,
        replicas=settings.min_replicas,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.aclose)
        http = await stack.enter_async_context(httpx.AsyncClient(limits=_HTTP_LIMITS, follow_redirects=False))
        client = await stack.enter_async_context(
            open_client(token=_secret(settings.slack_bot_token), api_url=settings.slack_api_url)
        )
        stores = redis_stores(
            store,
            SystemClock(),
            retention_s=settings.retention_days * _DAY_S,
            deployment_retention_s=settings.deployment_retention_days * _DAY_S,
            most_waiting=settings.most_waiting,
        )
        traces = _traces(settings, stack, stores.journal)
        outside = _Outside(store=store, http=http, identity=Identity(client), stores=stores, traces=traces)
        yield _join(settings, catalogue, plugins, library, outside)


@dataclass(frozen=True, kw_only=True)
class _Outside:
    """The connections; each is closed when the process ends."""

    store: RedisStore
    http: httpx.AsyncClient
    identity: Identity
    stores: Stores
    traces: tuple[Observer, ...]


def _traces(settings: Settings, stack: contextlib.AsyncExitStack, journal: Journal) -> tuple[Observer, ...]:
    """Return the tracer if tracing is set; OpenTelemetry is imported only then, because it is an extra.

    Raises:
        SettingsError: the extra is not installed.
    """
    if not settings.otlp_url:
        return ()
    try:
        tracing = importlib.import_module("bot.adapters.observability.tracing")
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"PILOTHOUSE_OTLP_URL needs {error.name}.",
            hint="Run `pip install 'pilothouse[otel]'`, or unset it.",
        ) from None
    clock, name = SystemClock(), worker_name()
    traces: Traces = tracing.otlp_traces(settings.otlp_url, clock, load=journal.load, worker=name)
    stack.push_async_callback(traces.aclose)
    return (traces,)


def _secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()


def _join(
    settings: Settings, catalogue: Catalogue, plugins: Plugins, library: LoadedLibrary, outside: _Outside
) -> Parts:
    clock, store = SystemClock(), outside.store
    operating = Health(
        meters=Meters(),
        ping=store.client.ping,
        depths=Gauges(store, clock).read,
        most_lag_s=settings.lease_s,
    )
    stores = replace(
        outside.stores,
        journal=ObservedJournal(outside.stores.journal, Observers(operating.meters, *outside.traces)),
        budget=ObservedBudget(outside.stores.budget, operating.meters.asked_budget),
    )
    client = outside.identity.client
    directory = SlackDirectory(client, identity=outside.identity, catalogue=catalogue)
    notifier, links = SlackNotifier(client), SlackLinks(client, stores.board)
    deps = Deps(
        stores=stores,
        library=library,
        plugins=plugins,
        reducers=REDUCERS,
        judge=judge_case,
        ranker=ranker_version(),
        catalogue=catalogue,
        clock=clock,
        http=outside.http,
        gatekeeper=StateGatekeeper(
            locks=stores.deploy_locks,
            checklists=stores.checklists,
            alerts=stores.alerts,
            journal=stores.journal,
            links=links,
        ),
        directory=directory,
        links=links,
        readers_per_service=settings.service_readers,
        settings={"watch_s": settings.watch_s},
    )
    front = HandlerContext(
        stores=stores,
        library=library,
        catalogue=catalogue,
        clock=clock,
        directory=directory,
        notifier=notifier,
        links=links,
    )
    app = build_app(identity=outside.identity, signing_secret=_secret(settings.slack_signing_secret))
    register_all(app, front)
    engine = Engine(deps)
    desk = IntentHandler(deps, directory=directory, notifier=notifier)
    return Parts(
        settings=settings,
        clock=clock,
        catalogue=catalogue,
        library=library,
        store=store,
        stores=stores,
        work=RedisWork(
            store,
            consumer=worker_name(),
            lease_s=settings.lease_s,
            concurrency=settings.worker_concurrency,
            checks=settings.check_concurrency,
            drain_s=settings.drain_s,
            on_beat=lambda: operating.beat("worker"),
        ),
        http=outside.http,
        archive=RunArchive(store, retention_s=settings.retention_days * _DAY_S),
        handlers=WorkHandlers(
            run=engine.advance,
            intent=desk.handle,
            check=MonitorRunner(deps).check,
            give_up=engine.give_up,
        ),
        presenter=Presenter(
            board=stores.board,
            budget=stores.budget,
            client=client,
            render=Renderer(
                stores,
                catalogue=catalogue,
                clock=clock,
                links=links,
                accuracy_channel=settings.accuracy_channel,
            ),
            clock=clock,
            paint=Painter().paint,
            default_channel=settings.default_channel,
        ),
        operating=operating,
        identity=outside.identity,
        app=app,
    )
