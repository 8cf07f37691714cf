"""Ask a gate for its ruling; whatever comes instead of one is a ruling too: not known, so not open."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from bot.domain.deployments.gate import GateName, GateResult, unknown
from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.engine.steps import call_with

_LOOK = "Try again; if it stays so, whoever runs this bot finds `plugin_crashed` or a slow source in its log."


async def ask_gate(
    ctx: Context, gate: GateName, *, service: str, version: str, timeout_s: float
) -> GateResult:
    """Ask one gate, for ``timeout_s`` seconds; one that crashes, hangs or answers nonsense is ``unknown``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    gates = ctx.service(service).gates
    asking = replace(ctx, step_id=f"{ctx.step_id}:{gate}", timeout_s=timeout_s)
    plugin = ctx.plugins.get(f"gates.{gate}")
    called = await call_with(asking, plugin, {"service": service, "version": version})
    if not isinstance(called.result, Facts):
        why = f"The gate cannot be asked: {called.error.rstrip('.')}."
        return unknown(gate, why=why, way_out=called.hint or _LOOK).under(gates)
    try:
        return _ruling(called.result.data)
    except ValidationError:
        return unknown(gate, why="The gate's answer is no ruling.", way_out=_LOOK).under(gates)


def _ruling(data: JsonObject) -> GateResult:
    """Read what ``GateResult.as_data`` wrote; gates tell more beside it."""
    return GateResult.model_validate({name: data[name] for name in GateResult.model_fields if name in data})
