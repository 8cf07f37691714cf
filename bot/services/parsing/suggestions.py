"""What to suggest where words were not understood: the service, version and options that were typed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.version import is_version
from bot.domain.nearest import nearest
from bot.domain.runs.runbook import Pipeline, Runbook
from bot.domain.visible import bare_name

_CHANGES = "deploy."
_FLAGS = "flags"


def service_meant(words: Sequence[str], catalogue: Catalogue) -> str:
    """Return the service that the first word names, or nearly names; empty if it does not."""
    if not words:
        return ""
    return catalogue.named(words[0]) or nearest(bare_name(words[0]), catalogue.names)


def service_for(words: Sequence[str], catalogue: Catalogue) -> str:
    """Return the service for an example: the one that was meant, else the first of the catalogue."""
    return service_meant(words, catalogue) or next(iter(catalogue.names), "<service>")


def service_for_runbook(runbook: Runbook, words: Sequence[str], catalogue: Catalogue) -> str:
    """Return the service for an example of a runbook: the one meant, else the first that it works for."""
    if meant := service_meant(words, catalogue):
        return meant
    own = [service for service in catalogue.services if not service.external]
    fitting = [service for service in own if _fits(runbook, service)]
    return next((service.name for service in fitting or own), "")


def version_typed(words: Sequence[str]) -> str:
    """Return the version after the service, as it was typed; empty if there is none."""
    return words[1] if len(words) > 1 and is_version(words[1]) else ""


def options_typed(runbook: Runbook, words: Sequence[str]) -> list[str]:
    """Return the optional parameters that were typed, or nearly so, in the order of the runbook."""
    options = [name for name, param in runbook.params.items() if not param.required]
    meant = {_option(word, options) for word in words[1:]}
    return [name for name in options if name in meant]


def _option(word: str, options: Sequence[str]) -> str:
    name = word.removeprefix("--").partition("=")[0].replace("-", "_").casefold()
    return name if name in options else nearest(name, options)


def _fits(runbook: Runbook, service: Service) -> bool:
    """Return whether a service has a target that the runbook changes, if it changes one."""
    pipelines = [phase for phase in runbook.phases if isinstance(phase, Pipeline)]
    steps = [step for phase in pipelines for step in phase.steps]
    changes = [step for step in steps if step.action.startswith(_CHANGES)]
    if not changes:
        return True
    named = [step.arguments.get("by") for step in changes]
    kind = next((by for by in named if isinstance(by, str) and by and "{" not in by), "")
    return kind in service.target if kind else bool(service.target.keys() - {_FLAGS})
