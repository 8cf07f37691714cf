"""Carries out commands on monitors: pause, resume, mute, unmute, and test once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import assert_never

from bot.domain.board import Topic
from bot.domain.errors import NotFoundError
from bot.domain.intent import (
    AnyMonitorIntent,
    MuteMonitor,
    PauseMonitor,
    ResumeMonitor,
    TryMonitor,
    UnmuteMonitor,
)
from bot.domain.monitoring.monitor import Pause
from bot.engine.deps import Deps
from bot.services.monitor_runner import MonitorReading, MonitorRunner
from bot.views.monitor_answers import muted_text, paused_text, reading_text, resumed_text, unmuted_text

log = logging.getLogger(__name__)


class MonitorCommands:
    """Carries out a command and returns the answer as text; the person was authorised before."""

    def __init__(self, deps: Deps) -> None:
        """Store the dependencies."""
        self._known = deps.catalogue.monitors
        self._monitors = deps.stores.monitors
        self._alerts = deps.stores.alerts
        self._board = deps.stores.board
        self._watchman = MonitorRunner(deps)

    async def carry_out(self, intent: AnyMonitorIntent) -> str:
        """Carry out the command and return the answer to the person who sent it, as mrkdwn.

        Times count from the request, so that carrying it out twice changes nothing more.

        Raises:
            NotFoundError: the catalogue no longer has the monitor.
        """
        if intent.name not in self._known:
            raise NotFoundError(f"The catalogue no longer has a monitor `{intent.name}`.")
        log.info("monitor_asked", extra={"monitor": intent.name, "intent": intent.type, "by": intent.by.id})
        match intent:
            case PauseMonitor():
                return await self._pause(intent)
            case ResumeMonitor():
                return await self._resume(intent)
            case MuteMonitor():
                return await self._mute(intent)
            case UnmuteMonitor():
                return await self._unmute(intent)
            case TryMonitor():
                return self._seen(intent.name, await self._watchman.look(intent.name))
            case _:
                assert_never(intent)

    async def _pause(self, intent: PauseMonitor) -> str:
        until = None if intent.seconds is None else intent.at + timedelta(seconds=intent.seconds)
        await self._monitors.pause(intent.name, Pause(by=intent.by, at=intent.at, until=until))
        return paused_text(intent.name, until)

    async def _resume(self, intent: ResumeMonitor) -> str:
        state = (await self._monitors.states((intent.name,)))[intent.name]
        await self._monitors.pause(intent.name, None)
        return resumed_text(intent.name, was_paused=state.paused(now=intent.at))

    async def _mute(self, intent: MuteMonitor) -> str:
        until = intent.at + timedelta(seconds=intent.seconds)
        await self._alerts.silence(intent.name, by=intent.by, until=until)
        await self._show_anew(intent.name)
        return muted_text(intent.name, until)

    async def _unmute(self, intent: UnmuteMonitor) -> str:
        was = await self._alerts.silence_of(intent.name)
        await self._alerts.unsilence(intent.name)
        await self._show_anew(intent.name)
        return unmuted_text(intent.name, was_muted=was is not None)

    async def _show_anew(self, name: str) -> None:
        """Update the message of a monitor's latest alert: it names who muted it, or appears after a mute."""
        state = (await self._monitors.states((name,)))[name]
        if state.watched.firing and state.alert_id:
            await self._board.mark(Topic(kind="alert", id=state.alert_id))

    def _seen(self, name: str, looked: MonitorReading) -> str:
        _, monitor = self._known[name]
        return reading_text(
            name, ok=looked.ok, saw=looked.text, expected=monitor.expect, took_s=looked.took_s
        )
