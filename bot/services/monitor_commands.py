"""Carries out commands on monitors: pause, resume, mute, unmute, and test once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from html import escape
from typing import assert_never

from bot.domain.board import Topic
from bot.domain.errors import NotFoundError
from bot.domain.formatting import duration
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

log = logging.getLogger(__name__)

_VERDICTS = {True: "🟢 It holds", False: "🔴 It does not hold", None: "🟠 It could not be measured"}


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
        end = (
            f"until someone runs `/monitor resume {intent.name}`"
            if until is None
            else f"until {_moment(until)}"
        )
        return f"⏸️ `{intent.name}` is paused {end}. It makes no checks until then. An open alert stays open."

    async def _resume(self, intent: ResumeMonitor) -> str:
        state = (await self._monitors.states((intent.name,)))[intent.name]
        await self._monitors.pause(intent.name, None)
        if not state.paused(now=intent.at):
            return f"`{intent.name}` was not paused; it is still checking."
        return f"▶️ `{intent.name}` is checking again, from its next slot."

    async def _mute(self, intent: MuteMonitor) -> str:
        until = intent.at + timedelta(seconds=intent.seconds)
        await self._alerts.silence(intent.name, by=intent.by, until=until)
        await self._show_anew(intent.name)
        return (
            f"🔕 `{intent.name}` is muted until {_moment(until)}. It keeps checking but posts no new alerts."
            " Anything still firing then will be posted."
        )

    async def _unmute(self, intent: UnmuteMonitor) -> str:
        was = await self._alerts.silence_of(intent.name)
        await self._alerts.unsilence(intent.name)
        await self._show_anew(intent.name)
        return f"🔔 `{intent.name}` is no longer muted." if was else f"`{intent.name}` was not muted."

    async def _show_anew(self, name: str) -> None:
        """Update the message of a monitor's latest alert: it names who muted it, or appears after a mute."""
        state = (await self._monitors.states((name,)))[name]
        if state.watched.firing and state.alert_id:
            await self._board.mark(Topic(kind="alert", id=state.alert_id))

    def _seen(self, name: str, looked: MonitorReading) -> str:
        _, monitor = self._known[name]
        saw = escape(looked.text, quote=False) or "nothing to show"
        expected = escape(monitor.expect, quote=False)
        return (
            f"{_VERDICTS[looked.ok]}: `{name}` saw {saw}\n"
            f"Expected: `{expected}` · took {duration(looked.took_s)} · not recorded."
        )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
