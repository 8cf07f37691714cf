"""The rules for monitors: probes and runbooks exist, arguments fit, expectations can be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.domain.catalogue import Catalogue
from bot.domain.monitoring.monitor import Monitor
from bot.domain.nearest import did_you_mean
from bot.engine.arguments import arguments_of
from bot.engine.plugins import Plugins
from bot.loader.probe_rules import probe_problems
from bot.templating.templates import expression_problems


def monitor_problems(catalogue: Catalogue, *, plugins: Plugins, runbooks: Collection[str]) -> tuple[str, ...]:
    """List every problem of the monitors, each with the monitor's full name."""
    return tuple(
        f"the monitor {name}: {problem}"
        for name, (service, monitor) in catalogue.monitors.items()
        for problem in _problems(service, monitor, plugins=plugins, runbooks=runbooks)
    )


def _problems(
    service: str, monitor: Monitor, *, plugins: Plugins, runbooks: Collection[str]
) -> Iterator[str]:
    yield from probe_problems(
        monitor.probe, plugins=plugins, complete=lambda plugin: arguments_of(plugin, service, monitor)
    )
    yield from (f"`expect`: {problem}" for problem in expression_problems(monitor.expect, ("result",)))
    if monitor.then is not None and monitor.then not in runbooks:
        yield f"`then`: no runbook is called `{monitor.then}`{did_you_mean(monitor.then, runbooks)}"
