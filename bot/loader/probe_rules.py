"""The rules for probes that the catalogue names: they exist, and their arguments fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from pydantic import ValidationError

from bot.domain.catalogue import Catalogue
from bot.domain.errors import TemplateError
from bot.domain.model import JsonObject
from bot.domain.nearest import did_you_mean
from bot.engine.arguments import arguments_for
from bot.engine.plugins import Plugin, Plugins
from bot.templating.templates import expression_problems

_ANY_VERSION = "1.0.0"


def probe_problems(name: str, *, plugins: Plugins, complete: Callable[[Plugin], JsonObject]) -> Iterator[str]:
    """Yield the problems of a probe's name, or of the arguments that ``complete`` returns for it."""
    plugin = plugins.by_name.get(name)
    if plugin is None or plugin.kind != "probe":
        known = [probe.name for probe in plugins.of_kind("probe")]
        yield f"no probe is called `{name}`{did_you_mean(name, known)}"
        return
    try:
        plugin.check(complete(plugin))
    except TemplateError as error:
        yield f"`with`: {str(error).rstrip('.')}"
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False, include_context=False):
            where = ".".join(str(part) for part in detail["loc"])
            yield f"`with.{where}` of {name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def checklist_problems(catalogue: Catalogue, *, plugins: Plugins) -> tuple[str, ...]:
    """List every problem of the checklists, each with the service and the item."""
    return tuple(
        f"the checklist of {service.name}, {name}: {problem}"
        for service in catalogue.services
        for name, item in service.gates.checklist.items()
        if item.probe
        for problem in (
            *_own_problems(item.probe),
            *probe_problems(
                item.probe,
                plugins=plugins,
                complete=partial(arguments_for, item=item, service=service.name, version=_ANY_VERSION),
            ),
            *(
                f"`expect`: {problem}"
                for problem in expression_problems(item.expect, ("result", "service", "version"))
            ),
        )
    )


def _own_problems(probe: str) -> Iterator[str]:
    if probe in {"gates.checklist", "gates.all"}:
        yield f"`{probe}` would ask for this checklist again"
