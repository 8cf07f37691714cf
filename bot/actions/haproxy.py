"""Deprecated names of ``deploy.rollback`` and of its undo, which plans in flight may still carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bot.actions.deploy import done
from bot.domain.deployments.version import TargetVersion
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.ports.targets import ChangeResult
from bot.targets.haproxy.target import HAProxyTarget
from bot.targets.registry import target_of

Weights = Annotated[dict[str, Annotated[int, Field(ge=0, le=256)]], Field(min_length=1)]
"""The weight of each server: its share of the traffic relative to the others."""


@action(specialist="traffic", in_doubt="retry", deprecated="deploy.shift")
async def shift(ctx: Context, *, service: str, weights: Weights) -> ActionResult:
    """Set the weights of ``service``'s servers, 0 to 256 each, by ``stable``, ``candidate`` or server name.

    Servers that are not named keep theirs.  ``before`` of the result holds ``weights``: the earlier ones.

    Raises:
        ActionFailedError: HAProxy cannot be reached, has no such server, or no healthy server would be left
            with traffic; nothing was changed.
        ActionInDoubtError: the weights are not, or not known to be, as requested.
    """
    target = target_of(ctx, service, by="haproxy")
    assert isinstance(target, HAProxyTarget)  # noqa: S101  # what that kind makes
    slots = target.backend.slots
    roles = {"stable": slots.stable, "candidate": (slots.candidate,)}
    return done(ctx, service, await target.set_weights(_by_server(weights, roles)))


async def is_rolled_back(
    ctx: Context, *, service: str, version: TargetVersion = "", previous_version: TargetVersion = ""
) -> ActionResult | None:
    """Return the rollback's result if the candidate has no traffic; asked only after an interrupted try."""
    found = await target_of(ctx, service).observe()
    has_traffic = found.candidate is not None and found.candidate.weight_percent > 0
    if has_traffic or previous_version not in ("", found.stable.version):
        return None
    back = previous_version or found.stable.version
    result = ChangeResult(summary=f"All traffic of {service} is back on {back or 'stable'}")
    return done(ctx, service, result, kind="rollback", replaced=version, to=back, serves=back)


@action(specialist="traffic", in_doubt="retry", look=is_rolled_back, deprecated="deploy.rollback")
async def rollback(
    ctx: Context, *, service: str, version: TargetVersion = "", previous_version: TargetVersion = ""
) -> ActionResult:
    """Do what ``deploy.rollback`` does, from ``version`` to ``previous_version``; the candidate still runs.

    Plans that name this action have ``haproxy.shift`` as its undo, which cannot start a version.  For
    HAProxy, ``before`` of the result holds ``weights``: the earlier ones.

    Raises:
        ActionFailedError: the target cannot be reached or refused, or nothing healthy could take the traffic.
        ActionInDoubtError: no clear answer came.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    result = await target_of(ctx, service).rollback(previous_version, keep_candidate=True)
    return done(
        ctx, service, result, kind="rollback", replaced=version, to=previous_version, serves=previous_version
    )


def _by_server(weights: Mapping[str, int], roles: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return the weights by server, with ``stable`` and ``candidate`` resolved; a server's own name wins."""
    named = set().union(*roles.values())
    by_role = {
        server: weight
        for name, weight in weights.items()
        if name not in named
        for server in roles.get(name, (name,))
    }
    return {**by_role, **{name: weight for name, weight in weights.items() if name in named}}
