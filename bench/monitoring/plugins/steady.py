"""A measurement that costs nothing and is always well."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Measurement
from bot.engine.plugins import Context, probe


@probe(specialist="bench")
async def level(ctx: Context) -> Measurement:
    """Nothing at all, in no unit."""
    return Measurement(value=0, unit="", at=ctx.clock.now())
