"""One clock or worker of the bench: the real role, whose looks are written down with how late they were."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

import bot.bootstrap
from bot import roles
from bot.domain.clock import SystemClock
from bot.engine.plugins import Plugins, scan
from bot.logs import configure_logs
from bot.services.monitor_runner import MonitorRunner
from bot.settings import load_settings


def plugins() -> Plugins:
    """Find the bot's plugins and the bench's."""
    return scan("bot.probes", "bot.actions", "bench.monitoring.plugins", third_parties=False)


def run(role: str, environment: Mapping[str, str], folder: str) -> None:
    """Be one process until killed; each look is a line: monitor, slot, seconds late."""
    settings = load_settings(environment)
    bot.bootstrap.load_plugins = plugins
    look, clock = MonitorRunner.check, SystemClock()
    with (
        open(f"{folder}/looks.{os.getpid()}", "a", buffering=1, encoding="utf-8") as looks,  # noqa: PTH123
        open(f"{folder}/{role}.log", "a", encoding="utf-8") as log,  # noqa: PTH123  # as above: one line
    ):

        async def noted(self: MonitorRunner, name: str, slot_s: float) -> None:
            looks.write(f"{name} {slot_s:.3f} {clock.now().timestamp() - slot_s:.4f}\n")
            await look(self, name, slot_s)

        MonitorRunner.check = noted  # type: ignore[method-assign]  # put in from outside
        configure_logs(level="WARNING", style="json", stream=log)
        asyncio.run(roles.run_until_stopped([getattr(roles, role)], settings))
