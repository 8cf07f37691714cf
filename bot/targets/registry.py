"""Finds the kinds of target by scanning this package, and a service's target by the catalogue."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from bot.domain.catalogue import Service
from bot.domain.errors import ActionFailedError, BotError
from bot.engine.plugins import Context, modules_of
from bot.ports.targets import DeploymentTarget
from bot.targets.support.http_effects import settings_of
from bot.targets.support.kind import TargetKind

_PACKAGE = "bot.targets"
_DECLARED = "KIND"


class TargetKindError(BotError):
    """Two modules declare the same kind of target."""

    reason = "target_kind_twice"
    default_hint = "Uninstall one of the two plugin packages, or rename its kind."


@functools.cache
def target_kinds() -> Mapping[str, TargetKind[Any]]:
    """Return every kind by name, in the order of precedence: those that ship, and those of plugin packages.

    Raises:
        TargetKindError: two modules declare a kind of the same name.
    """
    return kinds_in(modules_of(_PACKAGE))


def kinds_in(modules: Iterable[ModuleType]) -> dict[str, TargetKind[Any]]:
    """Return the kinds that modules declare, in the order of precedence.

    Raises:
        TargetKindError: two modules declare a kind of the same name.
    """
    found: dict[str, TargetKind[Any]] = {}
    for module in modules:
        kind = getattr(module, _DECLARED, None)
        if not isinstance(kind, TargetKind):
            continue
        if found.get(kind.name, kind) is not kind:
            raise TargetKindError(f"Two kinds of target are called `{kind.name}`.")
        found[kind.name] = kind
    return dict(sorted(found.items(), key=lambda item: (item[1].precedence, item[0])))


def is_deployed_here(service: Service) -> bool:
    """Return whether the bot deploys a service: its catalogue entry has a target of a known kind."""
    return bool(service.target.keys() & target_kinds().keys())


def target_of(ctx: Context, service: str, *, by: str = "") -> DeploymentTarget:
    """Return the target of kind ``by``; empty means the one that carries the service's traffic.

    Raises:
        ActionFailedError: the service has no such target, or its settings cannot be used.
    """
    kinds, has = target_kinds(), ctx.service(service).target
    name = by or next((known for known in kinds if known in has), "")
    if name not in kinds or name not in has:
        raise ActionFailedError(
            f"{service} has no target{f' `{by}`' if by else ''} to deploy to.",
            hint=f"Its `target:` in the catalogue may have {', '.join(f'`{known}`' for known in kinds)}.",
            code="target_not_configured",
        )
    kind = kinds[name]
    settings = settings_of(ctx, service, where="target", kind=name)
    try:
        return kind.make(ctx, service, kind.settings.model_validate(settings))
    except ValidationError as error:
        raise _unusable(service, name, error) from error


def _unusable(service: str, kind: str, error: ValidationError) -> ActionFailedError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    wrong = f"has no `{field}`" if first["type"] == "missing" else f"has a wrong `{field}`: {first['msg']}"
    return ActionFailedError(
        f"The catalogue's `{kind}` of {service} {wrong.rstrip('.')}.",
        hint="Correct it in the catalogue; `pilothouse check` shows the line.",
        code="target_not_configured",
    )
