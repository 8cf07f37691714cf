"""One worker or clock of the crash matrix: the real parts, with the points put in from outside."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping

import bot.bootstrap
from bench.crashing.points import Points
from bot import roles
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.presenter import Presenter, PresenterConfig
from bot.engine.plugins import Plugins, scan
from bot.logs import configure_logs
from bot.settings import load_settings

PLUGINS = ("bot.probes", "bot.actions", "bench.crashing.plugins")
_UNHURRIED = SlackRateLimits(
    posts_per_s=100, posts_burst=100, edits_per_s=100, edits_burst=100, edit_gap_s=0.05, first_edit_s=0.05
)


def plugins() -> Plugins:
    """Find the bot's plugins and those of the matrix."""
    return scan(*PLUGINS, third_parties=False)


def run(role: str, environment: Mapping[str, str], points: Points, log: str) -> None:
    """Be one process until killed."""
    settings = load_settings(environment)
    bot.bootstrap.load_plugins = plugins
    # The matrix is about what happens, not about how fast Slack may be written to.
    shift = PresenterConfig(
        lease_s=settings.lease_s,
        hold_s=settings.lease_s * 0.9,
        work_s=settings.lease_s / 2,
        settle_s=settings.lease_s / 2,
    )
    bot.bootstrap.Presenter = functools.partial(Presenter, pace=_UNHURRIED, shift=shift)  # type: ignore[misc]
    points.put_in()
    with open(log, "a", encoding="utf-8") as stream:  # noqa: PTH123  # one line is enough here
        configure_logs(level="INFO", style="json", stream=stream)
        asyncio.run(roles.run_until_stopped([getattr(roles, role)], settings))
