"""Turns feature flags on and off, for a share of the users or for single tenants."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.actions._shared.targets import change_of
from bot.domain.deployments.flag import Flag, FlagKey
from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.targets.support.http_effects import effect_of

Percent = Annotated[int, Field(ge=0, le=100)]
"""Of the targeting keys."""


async def is_ramped(
    ctx: Context, *, service: str, flag: FlagKey, percent: Percent, tenants: dict[str, bool] | None = None
) -> ActionResult | None:
    """Return a result if the flag is already set so; used only after an interrupted attempt."""
    wanted, found = await _wanted(ctx, service, flag, percent, tenants)
    # The earlier state is no longer known, so ``before`` is empty and an undo reports that.
    return _done(ctx, service, wanted, None) if found == wanted else None


@action(specialist="cicd", in_doubt="retry", look=is_ramped)
async def ramp(
    ctx: Context, *, service: str, flag: FlagKey, percent: Percent, tenants: dict[str, bool] | None = None
) -> ActionResult:
    """Turn ``flag`` of ``service`` on for ``percent`` of its users, and for or against single ``tenants``.

    Users who had it at a lower percentage still have it.  Without ``tenants`` their rules stay.  ``before``
    of the result holds the earlier ``percent`` and ``tenants``.

    Raises:
        ActionFailedError: the flags cannot be read; nothing was changed.
        ActionInDoubtError: no answer came.
        StaleEpochError: a newer owner of this run has set flags.
    """
    wanted, found = await _wanted(ctx, service, flag, percent, tenants)
    if found == wanted:
        return ActionResult(
            summary=f"{flag} of {service} was already set so", changed=False, before=_flag_data(found)
        )
    await ctx.flags.put(service, wanted, run_id=ctx.run_id, epoch=effect_of(ctx).epoch)
    return _done(ctx, service, wanted, found)


async def _wanted(
    ctx: Context, service: str, key: str, percent: int, tenants: dict[str, bool] | None
) -> tuple[Flag, Flag]:
    ctx.service(service)
    try:
        found = await ctx.flags.find(service, key) or Flag(key=key)
    except ProbeUnavailableError as error:
        raise ActionFailedError(str(error), hint=error.hint, code="target_unavailable") from error
    return Flag(key=key, percent=percent, tenants=found.tenants if tenants is None else tenants), found


def _done(ctx: Context, service: str, flag: Flag, before: Flag | None) -> ActionResult:
    summary = f"{flag.key} of {service} is {_shown(flag)}{f' (was {_shown(before)})' if before else ''}"
    return ActionResult(
        summary=summary,
        before=_flag_data(before) if before else {},
        after=_flag_data(flag),
        change=change_of(
            ctx,
            kind="flag",
            service=service,
            summary=summary,
            before=_shown(before) if before else "",
            after=_shown(flag),
            data={"key": flag.key},
        ),
    )


def _flag_data(flag: Flag) -> JsonObject:
    return {"percent": flag.percent, "tenants": {**flag.tenants}}


def _shown(flag: Flag) -> str:
    ruled = [f"{tenant} {'on' if on else 'off'}" for tenant, on in sorted(flag.tenants.items())]
    return ", ".join((f"on for {flag.percent} %", *ruled))
