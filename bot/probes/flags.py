"""Reads feature flags, with the same answers that the services get."""

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
    """Whether ``flag`` of ``service`` is on for a targeting key or tenant, and why.

    ``data`` has the fields of an OpenFeature evaluation: ``value``, ``variant``, ``reason``, ``error_code``.

    Raises:
        ProbeUnavailableError: the flags cannot be read.
    """
    ctx.service(service)
    provider = FlagProvider(flags=ctx.flags, service=service)
    context = EvaluationContext(targeting_key=targeting_key, tenant=tenant)
    # A flag that was never set is off for the service that asks for it.
    details = await provider.resolve_boolean_details(flag, False, context)
    if details.error_code == "PROVIDER_NOT_READY":
        raise ProbeUnavailableError(details.error_message)
    text = details.error_message or f"{flag} of {service} is {details.variant}"
    return Facts(summary=text, data=details.model_dump(mode="json"))


@probe(specialist="cicd")
async def state(ctx: Context, *, service: str, flag: FlagKey) -> Facts:
    """For what percentage of the users ``flag`` of ``service`` is on, and which tenants have rules.

    Raises:
        ProbeUnavailableError: the flags cannot be read.
    """
    ctx.service(service)
    found = await ctx.flags.find(service, flag)
    if found is None:
        data: JsonObject = {"set": False, "percent": 0, "tenants": {}}
        return Facts(summary=f"{flag} of {service} was never set", data=data)
    text = f"{flag} of {service} is on for {found.percent} %"
    return Facts(summary=text, data={"set": True, "percent": found.percent, "tenants": {**found.tenants}})
