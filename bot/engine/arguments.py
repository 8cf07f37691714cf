"""The arguments of probes that the catalogue names."""

from __future__ import annotations

from bot.domain.deployments.checklist import ChecklistItem
from bot.domain.model import JsonObject
from bot.domain.monitoring.monitor import Monitor
from bot.engine.plugins import Plugin
from bot.templating.templates import render


def arguments_of(plugin: Plugin, service: str, monitor: Monitor) -> JsonObject:
    """Return the probe's arguments; ``service`` is the monitor's, unless the arguments name another."""
    own: JsonObject = {"service": service} if "service" in plugin.params.model_fields else {}
    return {**own, **monitor.arguments}


def arguments_for(plugin: Plugin, item: ChecklistItem, *, service: str, version: str) -> JsonObject:
    """Return the arguments of an item's probe; ``service`` is the version's, unless they name another.

    Raises:
        TemplateError: a template refers to something else than ``service`` and ``version``.
    """
    own: JsonObject = {"service": service} if "service" in plugin.params.model_fields else {}
    scope = {"service": service, "version": version}
    return own | {name: render(value, scope) for name, value in item.arguments.items()}
