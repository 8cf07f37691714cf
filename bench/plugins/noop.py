"""A probe and an action that do nothing."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Facts
from bot.domain.runs.effect import Done
from bot.engine.plugins import Context, action, probe


@probe(specialist="bench")
async def look(ctx: Context) -> Facts:
    """Nothing, at once."""
    del ctx
    return Facts(summary="nothing")


@action(specialist="bench", in_doubt="retry")
async def act(ctx: Context) -> Done:
    """Change nothing."""
    del ctx
    return Done(changed=False, summary="nothing")
