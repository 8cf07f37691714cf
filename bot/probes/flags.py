"""Reads feature flags, and answers as the services are answered."""

from __future__ import annotations

from bot.domain.deployments.flag import EvaluationContext, FlagKey
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.services.flag_provider import FlagProvider


@probe(specialist="cicd")
async def evaluate(
    ctx: Context, *, service: str, flag: FlagKey, targeting_key: str = "", tenant: str = ""
) -> Facts:
    """Tell whether ``flag`` of ``service`` is on for a targeting key or tenant, and why.

    ``data`` has the fields of an OpenFeature evaluation: ``value``, ``variant``, ``reason``, ``error_code``.

    Raises:
        ProbeUnavailableError: the flags cannot be read.
    """
    ctx.service(service)
    provider = FlagProvider(flags=ctx.flags, service=service)
    context = EvaluationContext(targeting_key=targeting_key, tenant=tenant)
    # Off is what a service has that asks for a flag nobody has set yet.
    details = await provider.resolve_boolean_details(flag, False, context)
    if details.error_code == "PROVIDER_NOT_READY":
        raise ProbeUnavailableError(details.error_message)
    said = details.error_message or f"{flag} of {service} is {details.variant}"
    return Facts(summary=said, data=details.model_dump(mode="json"))


@probe(specialist="cicd")
async def state(ctx: Context, *, service: str, flag: FlagKey) -> Facts:
    """Tell for how many percent of the users ``flag`` of ``service`` is on, and which tenants have rules.

    Raises:
        ProbeUnavailableError: the flags cannot be read.
    """
    ctx.service(service)
    found = await ctx.flags.find(service, flag)
    if found is None:
        data: JsonObject = {"set": False, "percent": 0, "tenants": {}}
        return Facts(summary=f"{flag} of {service} was never set", data=data)
    said = f"{flag} of {service} is on for {found.percent} %"
    return Facts(summary=said, data={"set": True, "percent": found.percent, "tenants": {**found.tenants}})
