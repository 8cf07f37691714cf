"""Changes which version of a service serves, for every kind of target."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.actions._shared.targets import change_of
from bot.domain.deployments.version import TargetVersion
from bot.domain.diagnoses.change import Change, ChangeKind
from bot.domain.errors import ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.ports.targets import ChangeResult, DeploymentTarget, FlagChange, TargetState
from bot.targets.registry import target_of

Percent = Annotated[int, Field(ge=0, le=100)]
"""Of the traffic, 0 to 100."""
Route = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]
"""A tenant or a header's value, as the map of the target has it."""
Instances = Annotated[list[str], Field(min_length=1)]
Versions = Annotated[dict[str, TargetVersion], Field(min_length=1)]


async def is_staged(
    ctx: Context, *, service: str, version: TargetVersion, by: str = ""
) -> ActionResult | None:
    """Return a result if the candidate is already up; used only after an interrupted attempt."""
    side = (await _observed(ctx, service, by)).candidate
    up = side is not None and side.version == version and side.healthy
    return _found(ctx, service, f"{version} of {service} is up") if up else None


@action(specialist="cicd", in_doubt="retry", look=is_staged)
async def stage(ctx: Context, *, service: str, version: TargetVersion, by: str = "") -> ActionResult:
    """Start ``version`` as the candidate of ``service``, healthy and without traffic.

    Raises:
        ActionFailedError: the target cannot be reached or refused, or another candidate has traffic.
        ActionInDoubtError: it did not come up in time, or no clear answer came.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    return done(ctx, service, await target_of(ctx, service, by=by).stage(version), to=version)


@action(specialist="cicd", in_doubt="retry")
async def unstage(ctx: Context, *, service: str, version: TargetVersion, by: str = "") -> ActionResult:
    """Remove the candidate if it is ``version`` and has no traffic.  Raises as ``stage`` does."""
    return done(ctx, service, await target_of(ctx, service, by=by).unstage(version), kind="rollback")


@action(specialist="cicd", in_doubt="retry")
async def retire(ctx: Context, *, service: str, version: TargetVersion, by: str = "") -> ActionResult:
    """Stop ``version``, which was kept warm after a promotion.  Raises as ``stage`` does."""
    return done(ctx, service, await target_of(ctx, service, by=by).unstage(version))


async def is_shifted(
    ctx: Context,
    *,
    service: str,
    version: TargetVersion,
    percent: Percent,
    routes: list[Route] | None = None,
    by: str = "",
) -> ActionResult | None:
    """Return a result if the candidate already has its share; used only after an interrupted attempt."""
    side = (await _observed(ctx, service, by)).candidate
    has = side is not None and round(side.weight_percent) == percent and side.version in ("", version)
    has = has and not routes  # an observation does not include routes
    return _found(ctx, service, f"{version} of {service} has {percent} % of the traffic") if has else None


@action(specialist="cicd", in_doubt="retry", look=is_shifted)
async def shift(
    ctx: Context,
    *,
    service: str,
    version: TargetVersion,
    percent: Percent,
    routes: list[Route] | None = None,
    by: str = "",
) -> ActionResult:
    """Route ``percent`` of the traffic to ``version`` of ``service``, and all ``routes`` (tenants, headers).

    ``before`` of the result holds the earlier ``percent`` and ``routes``.

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
    version: TargetVersion,
    by: str = "",
    keep_warm: bool = True,  # noqa: ARG001  # a look has its action's arguments
) -> ActionResult | None:
    """Return a result if ``version`` is stable with all traffic; used only after an interrupted attempt."""
    found = await _observed(ctx, service, by)
    side = found.stable if found.tells_version else found.candidate
    is_it = side is not None and side.version == version and side.weight_percent == 100  # noqa: PLR2004  # all of it
    serves = version if found.tells_version else ""
    return _found(ctx, service, f"{service} is at {version}", serves=serves) if is_it else None


@action(specialist="cicd", in_doubt="retry", look=is_promoted)
async def promote(
    ctx: Context, *, service: str, version: TargetVersion, by: str = "", keep_warm: bool = True
) -> ActionResult:
    """Make ``version`` the stable one of ``service``, so that it also serves after a restart of the target.

    ``keep_warm`` leaves the previous version running without traffic, until ``retire``.  ``before`` of the
    result holds ``version``: the previous one.

    Raises:
        ActionFailedError: the target cannot be reached or refused.
        ActionInDoubtError: it did not come up in time, or no clear answer came; the candidate still serves.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    moved = await target_of(ctx, service, by=by).promote(version, keep_warm=keep_warm)
    return done(ctx, service, moved, to=version, serves=version)


async def is_rolled_back(
    ctx: Context, *, service: str, to_version: TargetVersion = "", version: TargetVersion = "", by: str = ""
) -> ActionResult | None:
    """Return a result if stable serves and no candidate is left; used only after an interrupted attempt."""
    found = await _observed(ctx, service, by)
    back = found.candidate is None and to_version in ("", found.stable.version)
    if not back:
        return None
    text = f"All traffic of {service} is back on {to_version or 'stable'}"
    serves = found.stable.version if found.tells_version else ""
    return _found(ctx, service, text, kind="rollback", replaced=version, serves=serves)


@action(specialist="cicd", in_doubt="retry", look=is_rolled_back)
async def rollback(
    ctx: Context, *, service: str, to_version: TargetVersion = "", version: TargetVersion = "", by: str = ""
) -> ActionResult:
    """Move all traffic of ``service`` back to the stable version at once, then stop the candidate.

    ``to_version`` is needed after a promotion: if it is not the stable version, it is restored.  ``version``
    is the version that is rolled back, for the record only.  ``before`` of the result is what ``reapply``
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
    ctx: Context, *, service: str, version: TargetVersion, before: JsonObject, by: str = ""
) -> ActionResult:
    """Restore the traffic that ``version`` of ``service`` had before a rollback: the undo of ``rollback``.

    ``before`` is from the rollback's result.  Raises as ``stage`` does.
    """
    moved = await target_of(ctx, service, by=by).reapply(version, before)
    serves = version if moved.after.get("version") == version else ""
    return done(ctx, service, moved, to=version, serves=serves)


@action(specialist="cicd", in_doubt="retry")
async def replace(
    ctx: Context, *, service: str, version: TargetVersion, instances: Instances, by: str = ""
) -> ActionResult:
    """Update these instances of ``service`` to ``version``, at most ``max_unavailable`` at a time.

    Each is drained, replaced, checked for health and put back into the traffic.  ``before`` of the result
    holds ``versions``.

    Raises:
        ActionFailedError: the target refused, or no instance would be left to serve.
        ActionInDoubtError: an instance did not come up; it gets no traffic.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    target = target_of(ctx, service, by=by)
    moved = await target.replace(dict.fromkeys(instances, version), fall_back=True)
    return done(ctx, service, moved, to=version, serves=await _served_alone(target))


@action(specialist="cicd", in_doubt="retry")
async def restore(ctx: Context, *, service: str, versions: Versions, by: str = "") -> ActionResult:
    """Restore each named instance of ``service`` to its earlier version: the undo of ``replace``."""
    target = target_of(ctx, service, by=by)
    moved = await target.replace(versions, fall_back=False)
    return done(ctx, service, moved, kind="rollback", serves=await _served_alone(target))


async def _served_alone(target: DeploymentTarget) -> str:
    """Return the version of all stable instances; empty if they differ, or if it cannot be read."""
    try:
        seen = await target.observe()
    except ProbeUnavailableError:
        return ""  # the replacement is done, and the ledger records only what is known
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

    ``replaced`` is the previous version, for targets that do not report it; ``serves`` is the version that is
    stable from now on, if there is one.
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
    """Return the ledger's entry for a flag: its key, and the target that can turn it off again."""
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
    # The earlier state is no longer known, so ``before`` is empty and an undo reports that.
    moved = ChangeResult(summary=summary)
    return done(ctx, service, moved, kind=kind, replaced=replaced, to=serves, serves=serves)


def _data(to: str, serves: str) -> JsonObject:
    data: JsonObject = {"version": to, "serves": serves}
    return {key: value for key, value in data.items() if value}
