"""Whether older versions of a service are gone, so that what only they need may be taken away."""

from __future__ import annotations

from datetime import datetime

from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.ports.targets import TargetState
from bot.targets.registry import target_of

_MEMORY_S = 30 * 86_400.0


async def others_running(ctx: Context, service: str, version: str) -> tuple[str, ...]:
    """Name the versions of a service that run beside ``version``, warm ones without traffic included.

    Raises:
        ActionFailedError: the target cannot be asked, or does not tell which versions run.
    """
    found = await target_of(ctx, service).observe()
    others = others_in(found, version)
    if "" in others:
        raise ActionFailedError(
            f"The target of {service} does not tell which versions run.",
            hint="Look whether an older one does; what only it needs is taken away otherwise.",
            code="version_unknown",
        )
    return others


def others_in(found: TargetState, version: str) -> tuple[str, ...]:
    """Name the versions other than ``version``; empty text for one that is not told; pure."""
    there = {found.stable.version} if not found.instances else set[str]()
    for instance in found.instances:
        if instance.role != "candidate" or found.candidate is not None:
            there.add(instance.version)
    return tuple(sorted(there - {version}))


async def promoted_at(ctx: Context, service: str, version: str) -> datetime | None:
    """Tell when ``version`` took over, as far as the change ledger remembers: the moment of the last one."""
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S)
    said = [change for change in changes if "serves" in change.data]
    return said[-1].at if said and said[-1].data["serves"] == version else None


async def last_promoted_at(ctx: Context, service: str, version: str) -> datetime | None:
    """Tell when ``version`` took over last, whatever came after it, as far as the change ledger remembers."""
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S)
    return next((change.at for change in reversed(changes) if change.data.get("serves") == version), None)
