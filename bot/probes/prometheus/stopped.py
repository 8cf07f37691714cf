"""Asks a service's deployment target how many of its instances are stopped on purpose."""

from __future__ import annotations

import asyncio

from bot.diagnosis.signals.metrics import StoppedInstances
from bot.domain.errors import BotError
from bot.engine.plugins import Context
from bot.ports.targets import TargetState
from bot.targets.registry import is_deployed_here, target_of

_SHARE_OF_TIME = 0.1
"""Of the step's time: the metrics have been read by then, and must not be lost for this."""


async def stopped_instances(ctx: Context, service: str) -> StoppedInstances | None:
    """Return how many instances run nothing on purpose; none if no target can say so in time.

    A target that does not know the traffic of each instance, such as a flag or a file in Git, cannot.
    """
    if not is_deployed_here(ctx.service(service)):
        return None
    try:
        async with asyncio.timeout(ctx.timeout_s * _SHARE_OF_TIME):
            return stopped_of(await target_of(ctx, service).observe())
    except (BotError, TimeoutError):
        return None


def stopped_of(state: TargetState) -> StoppedInstances | None:
    """Return how many instances run nothing on purpose; none where the traffic is not divided by instance."""
    if not (state.can.shift and state.tells_version and state.instances):
        return None
    idle = [
        item
        for item in state.instances
        if (item.weight == 0 and not item.healthy) or (item.role == "candidate" and state.candidate is None)
    ]
    ailing = any(item.weight > 0 and not item.healthy for item in state.instances if item not in idle)
    return StoppedInstances(count=0 if ailing else len(idle), total=len(state.instances))
