"""A probe and an action that do nothing."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Facts
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action, probe


@probe(specialist="bench")
async def look(ctx: Context) -> Facts:
    """Nothing, at once."""
    del ctx
    return Facts(summary="nothing")


@action(specialist="bench", in_doubt="retry")
async def act(ctx: Context) -> ActionResult:
    """Change nothing."""
    del ctx
    return ActionResult(changed=False, summary="nothing")
