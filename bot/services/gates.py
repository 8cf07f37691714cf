"""Asks a gate for its result; a failure counts as the result ``unknown``, which is not open."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from bot.domain.deployments.gate import GateName, GateResult, unknown
from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.engine.steps import call_with

_LOOK = (
    "Try again. If it still fails, the person who runs this bot should look for `plugin_crashed` or a slow"
    " source in its log."
)


async def ask_gate(
    ctx: Context, gate: GateName, *, service: str, version: str, timeout_s: float
) -> GateResult:
    """Ask one gate, for ``timeout_s`` seconds; a crash, a timeout or an unreadable answer is ``unknown``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    gates = ctx.service(service).gates
    asking = replace(ctx, step_id=f"{ctx.step_id}:{gate}", timeout_s=timeout_s)
    plugin = ctx.plugins.get(f"gates.{gate}")
    called = await call_with(asking, plugin, {"service": service, "version": version})
    if not isinstance(called.result, Facts):
        why = f"The gate could not be checked: {called.error.rstrip('.')}."
        return unknown(gate, why=why, way_out=called.hint or _LOOK).under(gates)
    try:
        return _ruling(called.result.data)
    except ValidationError:
        return unknown(gate, why="The gate's answer could not be read.", way_out=_LOOK).under(gates)


def _ruling(data: JsonObject) -> GateResult:
    """Read what ``GateResult.as_data`` wrote; gates add more fields, which are ignored."""
    return GateResult.model_validate({name: data[name] for name in GateResult.model_fields if name in data})
