"""The three roles and how they run: web receives, worker advances and shows, clock wakes."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from redis.exceptions import RedisError

from bot.adapters.alertmanager_reconciler import AlertmanagerReconciler
from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.adapters.http.serving import serve
from bot.adapters.monitor_clock import MonitorClock
from bot.adapters.observability.health import operating_app
from bot.adapters.slack.app import http_routes, serve_socket
from bot.bootstrap import Parts, assemble
from bot.domain.board import Topic
from bot.domain.diagnoses.feedback import week_of
from bot.domain.errors import SettingsError
from bot.environment import environment
from bot.logs import configure_logs
from bot.services.freeze_announcer import FreezeAnnouncer
from bot.settings import Settings, load_settings

log = logging.getLogger(__name__)

_BACKLOG = 2048
"""Connections that may wait to be accepted; uvicorn's default."""
_PUMP_S = 0.1
_PUMP_LATE_S = 10
"""A clock that has woken no run for this many seconds is not ready."""
_ALERTS_S = 15
_FREEZES_S = 15
_SWEEP_S = 60
_ACCURACY_HOUR = 9
"""On Mondays, in UTC."""

Role = Callable[[Parts], Awaitable[None]]


async def web(parts: Parts) -> None:
    """Receive: Slack, alert webhooks, health, metrics."""
    settings = parts.settings
    surface = WebParts(
        stores=parts.stores,
        clock=parts.clock,
        webhook_token=settings.webhook_token,
        catalogue=parts.catalogue,
        heartbeat_token=settings.heartbeat_token,
        lease_token=settings.lease_token,
        flags_token=settings.flags_token,
        http=parts.http,
        operating=parts.operating,
    )
    secret = settings.slack_signing_secret
    more = (
        http_routes(parts.app, signing_secret=secret.get_secret_value())
        if settings.slack_mode == "http" and secret is not None
        else ()
    )
    listening = _listen(settings.http_host, settings.http_port, setting="PILOTHOUSE_HTTP_PORT")
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(web_app(surface, more=more), listening))
        if settings.slack_mode == "socket":
            assert settings.slack_app_token is not None  # noqa: S101  # settings were checked when assembled
            token = settings.slack_app_token.get_secret_value()
            group.create_task(serve_socket(parts.app, app_token=token, identity=parts.identity))


def _listen(host: str, port: int, *, setting: str) -> socket.socket:
    """Bind the port before anything else starts.

    Raises:
        SettingsError: the port cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        why = (error.strerror or type(error).__name__).partition(" (")[0]
        raise SettingsError(
            f"Cannot listen on {host}:{port}: {why}.",
            hint=f"Set {setting} to a free port, or stop what uses this one; check PILOTHOUSE_HTTP_HOST.",
        ) from error


async def _operate(parts: Parts, roles: Sequence[Role]) -> None:
    """Watch the loop, and serve health and metrics where ``web`` does not."""
    settings = parts.settings
    listening: socket.socket | None = None
    if settings.metrics_port and web not in roles:
        listening = _listen(settings.http_host, settings.metrics_port, setting="PILOTHOUSE_METRICS_PORT")
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.operating.lag.watch())
        if listening is not None:
            group.create_task(serve(operating_app(parts.operating), listening))


async def worker(parts: Parts) -> None:
    """Advance runs, carry out intents, and show what changed."""
    parts.operating.expect("worker", within_s=parts.settings.lease_s)
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.work.serve(parts.handlers))
        group.create_task(parts.presenter.run())


async def clock(parts: Parts) -> None:
    """Wake what is due; any number of clocks may run."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    chores = ((_sweep, _SWEEP_S), (_reconcile, parts.settings.reconcile_s))
    for chore, every_s in chores:
        scheduler.add_job(chore, "interval", args=(parts,), seconds=every_s, coalesce=True, max_instances=1)
    freezes = FreezeAnnouncer(parts.catalogue, parts.stores.board, parts.clock)
    await _announce_freezes(freezes)
    scheduler.add_job(
        _announce_freezes, "interval", args=(freezes,), seconds=_FREEZES_S, coalesce=True, max_instances=1
    )
    await tell_accuracy(parts)  # what was missed while no clock ran
    scheduler.add_job(tell_accuracy, "cron", args=(parts,), day_of_week="mon", hour=_ACCURACY_HOUR, minute=0)
    if urls := [url.strip() for url in parts.settings.alertmanager_url.split(",") if url.strip()]:
        reconciler = AlertmanagerReconciler(parts.stores, parts.http, parts.clock, urls=urls)
        scheduler.add_job(
            _close_alerts, "interval", args=(reconciler,), seconds=_ALERTS_S, coalesce=True, max_instances=1
        )
    await _monitors(parts, scheduler)
    scheduler.start()
    parts.operating.expect("clock", within_s=_PUMP_LATE_S)
    try:
        while True:
            try:
                await parts.work.pump(now=parts.clock.now())
                parts.operating.beat("clock")
            except (RedisError, OSError) as error:
                log.warning("clock_pump_failed", extra={"error": type(error).__name__})
                await asyncio.sleep(1)
            await asyncio.sleep(_PUMP_S)
    finally:
        scheduler.shutdown(wait=False)


async def tell_accuracy(parts: Parts) -> None:
    """Request last week's accuracy message; asking again for the same week updates the same message."""
    if not parts.settings.accuracy_channel:
        return
    week = week_of(parts.clock.now() - timedelta(weeks=1, hours=_ACCURACY_HOUR))
    try:
        await parts.stores.board.mark(Topic(kind="accuracy", id=week))
    except (RedisError, OSError) as error:
        log.warning("accuracy_not_told", extra={"week": week, "error": type(error).__name__})


async def _monitors(parts: Parts, scheduler: AsyncIOScheduler) -> None:
    """Schedule every monitor of the catalogue, as soon as the store can be asked for the last slots."""
    monitors = MonitorClock(parts.catalogue.monitors, parts.stores.monitors, parts.clock)
    while True:
        try:
            return await monitors.begin(scheduler)
        except (RedisError, OSError) as error:
            log.warning("monitors_wait_for_store", extra={"error": type(error).__name__})
            await asyncio.sleep(1)


async def _sweep(parts: Parts) -> None:
    """Pack runs that ended a while ago, and delete those past their retention."""
    now = parts.clock.now()
    try:
        packed, forgotten = await parts.archive.pack(now=now), await parts.archive.forget(now=now)
    except (RedisError, OSError) as error:
        log.warning("sweep_failed", extra={"error": type(error).__name__})
    else:
        log.info("swept", extra={"packed": packed, "forgotten": forgotten})


async def _announce_freezes(freezes: FreezeAnnouncer) -> None:
    """Announce the freezes that have begun."""
    try:
        await freezes.tick()
    except (RedisError, OSError) as error:
        log.warning("freezes_not_announced", extra={"error": type(error).__name__})


async def _reconcile(parts: Parts) -> None:
    """Requeue runs that a crash at the wrong moment left out of the queues."""
    try:
        await parts.work.reconcile()
    except (RedisError, OSError) as error:
        log.warning("reconcile_failed", extra={"error": type(error).__name__})


async def _close_alerts(reconciler: AlertmanagerReconciler) -> None:
    """Close alerts that Alertmanager no longer lists."""
    try:
        await reconciler.tick()
    except (RedisError, OSError) as error:
        log.warning("alerts_not_compared", extra={"error": type(error).__name__})


def run_roles(roles: Sequence[Role]) -> int:
    """Run roles in this process until SIGTERM or SIGINT; work in progress is finished or handed over."""
    settings = load_settings(environment())
    configure_logs(level=settings.log_level, style=settings.log_format)
    return asyncio.run(run_until_stopped(roles, settings))


async def run_until_stopped(roles: Sequence[Role], settings: Settings) -> int:
    """Run roles until SIGTERM or SIGINT, or until one of them fails; return the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with assemble(settings) as parts:
        tasks = [asyncio.ensure_future(role(parts)) for role in roles]
        tasks.append(asyncio.ensure_future(_operate(parts, roles)))
        waiting = asyncio.create_task(stop.wait())
        log.info("started", extra={"roles": [role.__name__ for role in roles]})
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)
        for task in done - {waiting}:
            task.result()
    log.info("stopped")
    return 0
