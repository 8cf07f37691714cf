"""Changes what version of a service serves, whatever kind of target it has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.actions._shared.targets import change_of
from bot.domain.diagnoses.change import Change, ChangeKind
from bot.domain.errors import ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.ports.targets import ChangeResult, DeploymentTarget, FlagChange, TargetState
from bot.targets.registry import target_of

Percent = Annotated[int, Field(ge=0, le=100)]
"""Of the traffic; more than all is refused."""
Route = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]
"""A tenant or a header's value, as the map of the target has it."""
Instances = Annotated[list[str], Field(min_length=1)]
Versions = Annotated[dict[str, str], Field(min_length=1)]


async def is_staged(ctx: Context, *, service: str, version: str, by: str = "") -> ActionResult | None:
    """Tell whether the candidate is up already; asked only after an interrupted try."""
    side = (await _observed(ctx, service, by)).candidate
    up = side is not None and side.version == version and side.healthy
    return _found(ctx, service, f"{version} of {service} is up") if up else None


@action(specialist="cicd", in_doubt="retry", look=is_staged)
async def stage(ctx: Context, *, service: str, version: str, by: str = "") -> ActionResult:
    """Bring ``version`` up as the candidate of ``service``, healthy and without traffic.

    Raises:
        ActionFailedError: the target cannot be reached or refused, or another candidate has traffic.
        ActionInDoubtError: it did not come up in time, or no clear answer came.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    return done(ctx, service, await target_of(ctx, service, by=by).stage(version), to=version)


@action(specialist="cicd", in_doubt="retry")
async def unstage(ctx: Context, *, service: str, version: str, by: str = "") -> ActionResult:
    """Take the candidate away if it is ``version`` and has no traffic.  Raises as ``stage`` does."""
    return done(ctx, service, await target_of(ctx, service, by=by).unstage(version), kind="rollback")


@action(specialist="cicd", in_doubt="retry")
async def retire(ctx: Context, *, service: str, version: str, by: str = "") -> ActionResult:
    """Stop ``version``, which was kept warm after a promotion.  Raises as ``stage`` does."""
    return done(ctx, service, await target_of(ctx, service, by=by).unstage(version))


async def is_shifted(
    ctx: Context,
    *,
    service: str,
    version: str,
    percent: Percent,
    routes: list[Route] | None = None,
    by: str = "",
) -> ActionResult | None:
    """Tell whether the candidate has its share already; asked only after an interrupted try."""
    side = (await _observed(ctx, service, by)).candidate
    has = side is not None and round(side.weight_percent) == percent and side.version in ("", version)
    has = has and not routes  # an observation tells no routes
    return _found(ctx, service, f"{version} of {service} has {percent} % of the traffic") if has else None


@action(specialist="cicd", in_doubt="retry", look=is_shifted)
async def shift(
    ctx: Context,
    *,
    service: str,
    version: str,
    percent: Percent,
    routes: list[Route] | None = None,
    by: str = "",
) -> ActionResult:
    """Give ``version`` of ``service`` ``percent`` of the traffic, and all of ``routes`` (tenants or headers).

    ``before`` of the result holds ``percent`` and ``routes``: what stood before.

    Raises:
        ActionFailedError: the target cannot be reached or refused, or the candidate is another version.
        ActionInDoubtError: the candidate did not become healthy in time, or no clear answer came.
    """
    target = target_of(ctx, service, by=by)
    moved = await target.shift(version, percent=percent, routes=routes or [])
    return done(ctx, service, moved, to=version)


async def is_promoted(
    ctx: Context,
    *,
    service: str,
    version: str,
    by: str = "",
    keep_warm: bool = True,  # noqa: ARG001  # a look has its action's arguments
) -> ActionResult | None:
    """Tell whether ``version`` is the stable one with all traffic; asked only after an interrupted try."""
    found = await _observed(ctx, service, by)
    side = found.stable if found.tells_version else found.candidate
    is_it = side is not None and side.version == version and side.weight_percent == 100  # noqa: PLR2004  # all of it
    serves = version if found.tells_version else ""
    return _found(ctx, service, f"{service} is at {version}", serves=serves) if is_it else None


@action(specialist="cicd", in_doubt="retry", look=is_promoted)
async def promote(
    ctx: Context, *, service: str, version: str, by: str = "", keep_warm: bool = True
) -> ActionResult:
    """Make ``version`` the stable one of ``service``, so that a restart of the target brings no other back.

    ``keep_warm`` leaves the version before running without traffic, until ``retire``.  ``before`` of the
    result holds ``version``: the one before.

    Raises:
        ActionFailedError: the target cannot be reached or refused.
        ActionInDoubtError: it did not come up in time, or no clear answer came; the candidate serves on.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    moved = await target_of(ctx, service, by=by).promote(version, keep_warm=keep_warm)
    return done(ctx, service, moved, to=version, serves=version)


async def is_rolled_back(
    ctx: Context, *, service: str, to_version: str = "", version: str = "", by: str = ""
) -> ActionResult | None:
    """Tell whether stable serves and no candidate is left; asked only after an interrupted try."""
    found = await _observed(ctx, service, by)
    back = found.candidate is None and to_version in ("", found.stable.version)
    if not back:
        return None
    said = f"All traffic of {service} is back at {to_version or 'stable'}"
    serves = found.stable.version if found.tells_version else ""
    return _found(ctx, service, said, kind="rollback", replaced=version, serves=serves)


@action(specialist="cicd", in_doubt="retry", look=is_rolled_back)
async def rollback(
    ctx: Context, *, service: str, to_version: str = "", version: str = "", by: str = ""
) -> ActionResult:
    """Give all traffic of ``service`` to the stable version at once, then stop the candidate.

    ``to_version`` is for the time after a promotion: where it is not the stable version it is brought back.
    ``version`` is what is taken back, for the record only.  ``before`` of the result is what ``reapply``
    needs as its ``before``.

    Raises:
        ActionFailedError: the target cannot be reached or refused, or nothing healthy could take the traffic.
        ActionInDoubtError: no clear answer came.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    moved = await target_of(ctx, service, by=by).rollback(to_version, keep_candidate=False)
    return done(ctx, service, moved, kind="rollback", replaced=version, to=to_version, serves=to_version)


@action(specialist="cicd", in_doubt="retry")
async def reapply(
    ctx: Context, *, service: str, version: str, before: JsonObject, by: str = ""
) -> ActionResult:
    """Give ``version`` of ``service`` back what a rollback took from it: the undo of ``rollback``.

    ``before`` is that of the rollback's result.  Raises as ``stage`` does.
    """
    moved = await target_of(ctx, service, by=by).reapply(version, before)
    serves = version if moved.after.get("version") == version else ""
    return done(ctx, service, moved, to=version, serves=serves)


@action(specialist="cicd", in_doubt="retry")
async def replace(
    ctx: Context, *, service: str, version: str, instances: Instances, by: str = ""
) -> ActionResult:
    """Bring these instances of ``service`` to ``version``, never more at a time than ``max_unavailable``.

    Each is drained, replaced, seen healthy and let in again.  ``before`` of the result holds ``versions``.

    Raises:
        ActionFailedError: the target refused, or nobody would be left to serve.
        ActionInDoubtError: an instance did not come up; it stays out of the traffic.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    target = target_of(ctx, service, by=by)
    moved = await target.replace(dict.fromkeys(instances, version), fall_back=True)
    return done(ctx, service, moved, to=version, serves=await _served_alone(target))


@action(specialist="cicd", in_doubt="retry")
async def restore(ctx: Context, *, service: str, versions: Versions, by: str = "") -> ActionResult:
    """Bring each named instance of ``service`` back to its version: the undo of ``replace``."""
    target = target_of(ctx, service, by=by)
    moved = await target.replace(versions, fall_back=False)
    return done(ctx, service, moved, kind="rollback", serves=await _served_alone(target))


async def _served_alone(target: DeploymentTarget) -> str:
    """Tell the version of all stable instances; empty while they differ, or where nobody can tell."""
    try:
        seen = await target.observe()
    except ProbeUnavailableError:
        return ""  # what was replaced is replaced, and the ledger tells no more than is known
    versions = {instance.version for instance in seen.instances if instance.role == "stable"}
    return versions.pop() if len(versions) == 1 else ""


async def _observed(ctx: Context, service: str, by: str) -> TargetState:
    return await target_of(ctx, service, by=by).observe()


def done(
    ctx: Context,
    service: str,
    moved: ChangeResult,
    *,
    kind: ChangeKind = "deploy",
    replaced: str = "",
    to: str = "",
    serves: str = "",
) -> ActionResult:
    """Return the result of a change, with the entry for the change ledger.

    ``replaced`` is the version before, where the target does not know it; ``serves`` is the version that is
    the stable one from now on, where a version is.
    """
    if not moved.changed:
        return ActionResult(summary=moved.summary, changed=False, before=moved.before, after=moved.after)
    if moved.flag is not None:
        change = _flag_change(ctx, service, moved.flag, kind=kind, summary=moved.summary, to=to)
    else:
        change = change_of(
            ctx,
            kind=kind,
            service=service,
            summary=moved.summary,
            before=moved.before.get("version") or moved.before.get("stable") or replaced,
            after=to,
            data=_data(to, serves),
        )
    return ActionResult(summary=moved.summary, before=moved.before, after=moved.after, change=change)


def _flag_change(
    ctx: Context, service: str, flag: FlagChange, *, kind: ChangeKind, summary: str, to: str
) -> Change:
    """Return the ledger's entry for a flag: what to look at, and where it can be turned off again."""
    return change_of(
        ctx,
        kind="flag" if kind == "deploy" else kind,
        service=service,
        summary=summary,
        before=flag.before,
        after=flag.after,
        data={**_data(to, ""), "key": flag.key, "target": flag.target},
    )


def _found(
    ctx: Context,
    service: str,
    summary: str,
    *,
    kind: ChangeKind = "deploy",
    replaced: str = "",
    serves: str = "",
) -> ActionResult:
    # What stood before is not known any more, so ``before`` is empty and an undo says so.
    moved = ChangeResult(summary=summary)
    return done(ctx, service, moved, kind=kind, replaced=replaced, to=serves, serves=serves)


def _data(to: str, serves: str) -> JsonObject:
    told: JsonObject = {"version": to, "serves": serves}
    return {key: value for key, value in told.items() if value}
