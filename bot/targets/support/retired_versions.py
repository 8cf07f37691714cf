"""Checks whether older versions of a service are gone, so that what only they need can be removed."""

from __future__ import annotations

from datetime import datetime

from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.ports.targets import TargetState
from bot.targets.registry import target_of

_MEMORY_S = 30 * 86_400.0


async def others_running(ctx: Context, service: str, version: str) -> tuple[str, ...]:
    """Return the versions of a service that run beside ``version``, warm ones without traffic included.

    Raises:
        ActionFailedError: the target cannot be read, or does not report which versions run.
    """
    found = await target_of(ctx, service).observe()
    others = others_in(found, version)
    if "" in others:
        raise ActionFailedError(
            f"The target of {service} does not report which versions run.",
            hint="Check by hand that no older version runs: what only it needs would be removed.",
            code="version_unknown",
        )
    return others


def others_in(found: TargetState, version: str) -> tuple[str, ...]:
    """Return the versions other than ``version``; empty text stands for an unknown one; pure."""
    there = {found.stable.version} if not found.instances else set[str]()
    for instance in found.instances:
        if instance.role != "candidate" or found.candidate is not None:
            there.add(instance.version)
    return tuple(sorted(there - {version}))


async def promoted_at(ctx: Context, service: str, version: str) -> datetime | None:
    """Return when ``version`` took over, if that was the last takeover in the change ledger's 30 days."""
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S)
    takeovers = [change for change in changes if "serves" in change.data]
    return takeovers[-1].at if takeovers and takeovers[-1].data["serves"] == version else None


async def last_promoted_at(ctx: Context, service: str, version: str) -> datetime | None:
    """Return when ``version`` last took over, whatever came after it, in the change ledger's 30 days."""
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S)
    return next((change.at for change in reversed(changes) if change.data.get("serves") == version), None)
