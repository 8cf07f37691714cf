"""Finds a service's target by the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.ports.targets import DeploymentTarget
from bot.targets.command import CommandTarget
from bot.targets.flags import FlagsTarget
from bot.targets.git import GitTarget
from bot.targets.haproxy import HAProxyTarget

KINDS: Mapping[str, Callable[[Context, str], DeploymentTarget]] = {
    "haproxy": HAProxyTarget.of,
    "git": GitTarget,
    "command": CommandTarget,
    "flags": FlagsTarget,
}
"""Where a service has several and none is named, the first is meant: what carries traffic; a flag is last."""


def target_of(ctx: Context, service: str, *, by: str = "") -> DeploymentTarget:
    """Give the target of kind ``by``; empty means the one that carries the service's traffic.

    Raises:
        ActionFailedError: the service has no such target.
    """
    has = ctx.service(service).target
    kind = by or next((known for known in KINDS if known in has), "")
    if kind not in KINDS or kind not in has:
        raise ActionFailedError(
            f"{service} has no target{f' `{by}`' if by else ''} to deploy to.",
            hint=f"Its `target:` in the catalogue may have {', '.join(f'`{known}`' for known in KINDS)}.",
            code="target_not_configured",
        )
    return KINDS[kind](ctx, service)
