"""What the crash matrix changes: three targets that know keys, fences, or nothing."""

from __future__ import annotations

from typing import Any

import httpx

from bot.domain.diagnoses.finding import Facts, Measurement
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action, probe

_STALE = 412
_KIND = "outside"


async def is_done(ctx: Context, *, service: str, target: str) -> ActionResult | None:
    """Ask the target whether this very effect is there."""
    assert ctx.effect is not None  # noqa: S101  # only actions are looked at
    url = f"{_url(ctx, service)}/{target}/effects/{ctx.effect.key}"
    answer = await ctx.get_json(url, params={"epoch": str(ctx.effect.epoch)})
    return ActionResult(summary=f"{target} was done") if answer["times"] else None


@action(specialist="outside", look=is_done)
async def do(ctx: Context, *, service: str, target: str) -> ActionResult:
    """Have an effect at ``target``: ``keyed``, ``fenced`` or ``plain``."""
    assert ctx.effect is not None  # noqa: S101  # every action has one
    body: dict[str, Any] = {"key": ctx.effect.key, "epoch": ctx.effect.epoch}
    try:
        answer = await ctx.http.post(
            f"{_url(ctx, service)}/{target}/effects", json=body, timeout=ctx.timeout_s
        )
    except httpx.ConnectError as error:
        raise ActionFailedError(f"{target} cannot be reached.") from error
    except httpx.HTTPError as error:
        raise ActionInDoubtError(f"{target} did not answer.") from error
    if answer.status_code == _STALE:
        raise StaleEpochError(f"{target} knows of a newer owner.")
    return ActionResult(summary=f"did it at {target}")


@probe(specialist="outside")
async def read(ctx: Context, *, service: str, name: str) -> Facts:
    """Read something."""
    await ctx.get_json(f"{_url(ctx, service)}/reading")
    return Facts(summary=f"read {name}")


@probe(specialist="outside")
async def level(ctx: Context, *, service: str) -> Measurement:
    """Measure something that is always well."""
    answer = await ctx.get_json(f"{_url(ctx, service)}/reading")
    return Measurement(value=float(answer["value"]), unit="", at=ctx.clock.now())


def _url(ctx: Context, service: str) -> str:
    return ctx.source(service, _KIND)["url"]
