"""Carry out what people ask of monitors: pause, resume, mute, unmute, and look once for them."""

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

_VERDICTS = {True: "🟢 It holds", False: "🔴 It does not hold", None: "🟠 Nobody can tell"}


class MonitorCommands:
    """Does what was asked, and says in words what has come of it; whoever asks was checked before."""

    def __init__(self, deps: Deps) -> None:
        """Keep the surroundings."""
        self._known = deps.catalogue.monitors
        self._monitors = deps.stores.monitors
        self._alerts = deps.stores.alerts
        self._board = deps.stores.board
        self._watchman = MonitorRunner(deps)

    async def carry_out(self, intent: AnyMonitorIntent) -> str:
        """Do it, and give the answer for whoever asked, as mrkdwn.

        Times count from when it was asked for, so that doing it twice changes nothing more.

        Raises:
            NotFoundError: the catalogue has no such monitor any more.
        """
        if intent.name not in self._known:
            raise NotFoundError(f"There is no monitor `{intent.name}` any more.")
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
            f"until somebody types `/monitor resume {intent.name}`"
            if until is None
            else f"until {_moment(until)}"
        )
        return f"⏸️ `{intent.name}` is paused {end}: it does not look. An alert that is open stays open."

    async def _resume(self, intent: ResumeMonitor) -> str:
        state = (await self._monitors.states((intent.name,)))[intent.name]
        await self._monitors.pause(intent.name, None)
        if not state.paused(now=intent.at):
            return f"`{intent.name}` was not paused; it goes on looking."
        return f"▶️ `{intent.name}` looks again, from its next slot on."

    async def _mute(self, intent: MuteMonitor) -> str:
        until = intent.at + timedelta(seconds=intent.seconds)
        await self._alerts.silence(intent.name, by=intent.by, until=until)
        await self._show_anew(intent.name)
        return (
            f"🔕 `{intent.name}` is muted until {_moment(until)}: it goes on looking, and begins no message"
            " before that. What fires then is told."
        )

    async def _unmute(self, intent: UnmuteMonitor) -> str:
        was = await self._alerts.silence_of(intent.name)
        await self._alerts.unsilence(intent.name)
        await self._show_anew(intent.name)
        return f"🔔 `{intent.name}` is heard again." if was else f"`{intent.name}` was not muted."

    async def _show_anew(self, name: str) -> None:
        """Have the message of a monitor's latest alert say who muted it, or appear at last."""
        state = (await self._monitors.states((name,)))[name]
        if state.watched.firing and state.alert_id:
            await self._board.mark(Topic(kind="alert", id=state.alert_id))

    def _seen(self, name: str, looked: MonitorReading) -> str:
        _, monitor = self._known[name]
        saw = escape(looked.text, quote=False) or "nothing to show"
        expected = escape(monitor.expect, quote=False)
        return (
            f"{_VERDICTS[looked.ok]}: `{name}` saw {saw}\n"
            f"Expected: `{expected}` · it took {duration(looked.took_s)} · nothing was kept of it."
        )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
