"""Runs monitors at their slots, and turns their results into alerts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.board import Topic
from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import BotError, BusyError, NotFoundError, TemplateError
from bot.domain.intent import StartRun
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.monitor import Monitor, MonitorState
from bot.domain.monitoring.watching import Episode, MonitorSample, fold
from bot.domain.people import Person
from bot.domain.runs.event import Origin
from bot.engine.arguments import arguments_of
from bot.engine.deps import Deps
from bot.engine.steps import CallResult, call_with, shown
from bot.templating.templates import truth

log = logging.getLogger(__name__)

SOURCE = "monitor"
"""The ``source`` of a monitor's alerts."""
_LATE_SLOTS = 2.0
"""A check this many intervals old is left out: a newer one of the same monitor is queued behind it."""
_PERSON = "monitor"


@dataclass(frozen=True, kw_only=True)
class MonitorReading:
    """One check of a monitor: ``ok`` is true, false, or none where nothing could be measured."""

    ok: bool | None
    text: str
    took_s: float
    url: str = ""


class MonitorRunner:
    """Runs all monitors; holds no state of its own, and checking a slot twice is harmless."""

    def __init__(self, deps: Deps) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._monitors = deps.stores.monitors
        self._alerts = deps.stores.alerts
        self._board = deps.stores.board
        self._inbox = deps.stores.inbox
        self._known = deps.catalogue.monitors

    async def check(self, name: str, slot_s: float) -> None:
        """Check a monitor for a slot and report what has changed; a slot that is no longer due is skipped."""
        if name not in self._known:
            log.info("monitor_gone", extra={"monitor": name})
            return
        service, monitor = self._known[name]
        state = (await self._monitors.states((name,)))[name]
        now = self._deps.clock.now()
        if (
            state.paused(now=now)
            or _is_stale(monitor, slot_s, now)
            or not await self._is_due(service, monitor)
        ):
            return
        looked = await self.look(name)
        watched = fold(
            state.watched, MonitorSample(slot_s=slot_s, ok=looked.ok, text=looked.text), monitor.limits
        )
        if watched == state.watched:
            return  # a newer slot was checked before
        seen = state.but(watched=watched, value=looked.text, seen_at=self._deps.clock.now())
        # Report before storing: if this worker dies in between, the slot is checked and reported again.
        seen = await self._report(name, seen, url=looked.url)
        await self._monitors.keep(name, seen)

    async def look(self, name: str) -> MonitorReading:
        """Measure now and compare with the expectation; nothing is stored.

        Raises:
            NotFoundError: the catalogue has no such monitor.
        """
        if name not in self._known:
            raise NotFoundError(f"The catalogue has no monitor `{name}`.")
        service, monitor = self._known[name]
        plugin = self._deps.plugins.get(monitor.probe)
        ctx = self._deps.context(name, monitor.id, timeout_s=monitor.timeout)
        called = await call_with(ctx, plugin, arguments_of(plugin, service, monitor))
        return _judged(monitor, called)

    async def _is_due(self, service: str, monitor: Monitor) -> bool:
        if monitor.after_deploy is None:
            return True
        changes = await self._deps.stores.ledger.since(service=service, seconds=monitor.after_deploy)
        return any(change.kind in ("deploy", "flag") for change in changes)

    async def _report(self, name: str, state: MonitorState, *, url: str) -> MonitorState:
        """Report an episode that began, changed or ended, and return the state with what was reported."""
        episode = state.watched.episode
        if episode is None:
            return state
        alert = self._alert(name, episode, text=state.value, url=url)
        told = _told(alert, episode)
        if told != state.reported:
            await self._alerts.report(alert)
            await self._board.mark(Topic(kind="alert", id=alert.id))
            log.info("monitor_reported", extra={"monitor": name, "alert": alert.id, "status": alert.status})
        wanted = self._known[name][1].then
        if wanted is None or alert.status != "firing" or state.started == alert.id:
            return state.but(reported=told)
        if await self._alerts.silence_of(name) is not None:
            return state.but(reported=told)  # it is started when the silence ends, if the alert still fires
        await self._then(name, wanted, alert)
        return state.but(reported=told, started=alert.id)

    async def _then(self, name: str, runbook: str, alert: Alert) -> None:
        """Start the monitor's runbook; its key is derived, so an episode starts it once."""
        service, _ = self._known[name]
        channel = self._deps.catalogue.get(service).channel
        start = StartRun(
            key=f"{SOURCE}:{alert.id}",
            at=self._deps.clock.now(),
            runbook=runbook,
            params={"service": service},
            by=Person(id=_PERSON, name=f"monitor {name}"),
            origin=Origin(kind="webhook", channel=channel, alert=alert.id),
        )
        try:
            await self._inbox.put(start)
        except BusyError as error:
            log.warning("monitor_then_refused", extra={"monitor": name, "error": str(error)})

    def _alert(self, name: str, episode: Episode, *, text: str, url: str) -> Alert:
        service, monitor = self._known[name]
        title = monitor.title or monitor.id
        return Alert(
            fingerprint=name,
            name=title,
            service=service,
            severity=monitor.severity,
            summary=f"{title}: {text}",
            description="" if episode.unknown else f"`{monitor.expect}` does not hold.",
            status="firing" if episode.ended_s is None else "resolved",
            starts_at=_moment(episode.began_s),
            ends_at=None if episode.ended_s is None else _moment(episode.ended_s),
            labels={"monitor": name},
            source=SOURCE,
            url=url,
            unknown=episode.unknown,
            flapping=episode.flapping,
            times=episode.times,
            value=text,
        )


def _judged(monitor: Monitor, called: CallResult) -> MonitorReading:
    if called.outcome != "ok" or called.result is None:
        return MonitorReading(ok=None, text=f"not measured: {called.error}", took_s=called.took_s)
    text = shown(called.result)
    url = called.result.url if isinstance(called.result, Measurement) else ""
    try:
        ok = truth(monitor.expect, {"result": called.result})
    except (TemplateError, BotError) as error:
        return MonitorReading(ok=None, text=f"not comparable: {error}", took_s=called.took_s, url=url)
    return MonitorReading(ok=ok, text=text, took_s=called.took_s, url=url)


def _is_stale(monitor: Monitor, slot_s: float, now: datetime) -> bool:
    late_s = now.timestamp() - slot_s
    return monitor.missed != "all" and not monitor.cron and late_s > _LATE_SLOTS * monitor.every


def _told(alert: Alert, episode: Episode) -> str:
    facts = (alert.status, episode.unknown, episode.flapping, episode.times)
    return f"{alert.id} {' '.join(map(str, facts))}"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
