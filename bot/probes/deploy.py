"""Reads what a deployment needs to know about its target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from bot.canary.forecast import forecast as foresee
from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.domain.rollouts.judging import Traffic
from bot.engine.plugins import Context, probe
from bot.ports.targets import TargetState
from bot.targets.registry import target_of

_MEMORY_S = 30 * 86_400.0

Percent = Annotated[int, Field(gt=0, lt=100)]
"""Of the traffic, less than all of it."""
Seconds = Annotated[float, Field(gt=0, le=60)]

T = TypeVar("T")


@probe(specialist="cicd")
async def observe(ctx: Context, *, service: str, by: str = "") -> Facts:
    """Which versions of ``service`` run, and each one's share of the traffic (percent).

    The serving version is compared with the one that the last promotion or rollback of the last 30 days
    left; ``data.warnings`` lists the differences, as after a restart that lost the weights.

    Raises:
        ProbeUnavailableError: the target cannot be read; that does not mean that nothing runs.
    """
    found = await _read(_observed(ctx, service, by))
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S) if found.tells_version else ()
    warnings = strays(found, promised=promised(changes))
    data: JsonObject = {**found.model_dump(mode="json"), "warnings": [*warnings]}
    return Facts(
        summary=" ".join((*(f"⚠️ {warning}" for warning in warnings), _shown(service, found))), data=data
    )


@probe(specialist="cicd")
async def counts(ctx: Context, *, service: str, by: str = "") -> Facts:
    """Requests, errors (5xx) and mean latency (ms) of both sides, cumulative since a fixed time.

    Raises:
        ProbeUnavailableError: the target cannot be read, or does not count requests.
    """

    async def read() -> Facts:
        found = await target_of(ctx, service, by=by).counts()
        shares = ", ".join(
            f"{name} {side.errors} errors of {side.requests}"
            for name, side in (("canary", found.canary), ("stable", found.stable))
        )
        return Facts(summary=f"{service}: {shares}", data=found.model_dump(mode="json"))

    return await _read(read())


@probe(specialist="cicd")
async def rollback_path(ctx: Context, *, service: str, version: str, by: str = "") -> Facts:
    """Whether ``version`` of ``service`` could be rolled back now; checked without changing anything.

    Raises:
        ProbeUnavailableError: the target cannot be read; whether a rollback would work is then unknown.
    """

    async def read() -> Facts:
        way = await target_of(ctx, service, by=by).way_back(version)
        verdict: JsonObject = {"verdict": way.verdict, "step": "", "because": way.because}
        return Facts(
            summary=f"The way back from {version} is {way.verdict}: {way.because}.",
            data={"rollback": verdict, "checked": [*way.checked]},
        )

    return await _read(read())


@probe(specialist="cicd")
async def forecast(
    ctx: Context, *, service: str, percent: Percent, within_s: float, sample_s: Seconds = 2.0
) -> Facts:
    """Whether a canary will get enough traffic to detect a doubling of the errors, before it gets any.

    The traffic is measured for ``sample_s`` seconds.  ``data`` has the fields of ``judge``'s forecast:
    ``enough``, ``needed_s``, ``errors_needed`` and ``text``.

    Raises:
        ProbeUnavailableError: the target cannot be read, or does not count requests.
    """
    target = target_of(ctx, service)
    before = await _read(target.counts())
    await asyncio.sleep(sample_s)
    after = await _read(target.counts())
    came = after.canary.requests + after.stable.requests - before.canary.requests - before.stable.requests
    seen = after.stable.requests
    outlook = foresee(
        Traffic(
            requests_per_s=max(0.0, came / max(after.at_s - before.at_s, 0.001)),
            error_share=min(1.0, after.stable.errors / seen) if seen else 0.0,
            canary_share=percent / 100,
            window_s=within_s,
        )
    )
    return Facts(summary=outlook.text, data=outlook.model_dump(mode="json"))


@probe(specialist="cicd")
async def back_to(ctx: Context, *, service: str, version: str = "", by: str = "") -> Facts:
    """Which version a rollback of ``service`` leads to: ``version``, or the previous one.

    While a candidate has traffic, that is the stable version; otherwise the version that served before it,
    from the change ledger of the last 30 days.  A flag that is on for any user goes back to ``off``.
    ``data`` holds ``version``, ``current`` and ``why``.

    Raises:
        ProbeUnavailableError: the target cannot be read, or no earlier version is known.
    """
    found = await _read(_observed(ctx, service, by))
    current, candidate = found.stable.version, found.candidate
    if version:
        why = f"{version} was requested"
    elif candidate is not None and candidate.weight_percent:
        why = f"{candidate.version or 'the candidate'} has {candidate.weight_percent:g} % of the traffic"
        version, current = current, candidate.version or current
    elif found.tells_version:
        version = served_before(await ctx.ledger.since(service=service, seconds=_MEMORY_S), now=current)
        why = f"{version} served before {current}"
    if not version:
        raise ProbeUnavailableError(
            f"There is no version of {service} before {current or 'the one that serves'} in my records.",
            hint=f"Name the version: `/rollback {service} to 1.4.1`.",
            code="nothing_to_go_back_to",
        )
    return Facts(
        summary=f"Back to {version}, because {why}.",
        data={"version": version, "current": current, "why": why},
    )


def served_before(changes: Sequence[Change], *, now: str) -> str:
    """Return the version that served before the one that serves ``now``; empty if not known; pure."""
    served = [
        str(one)
        for change in changes
        for one in (change.before, change.data.get("serves"))
        if one and change.data.get("serves")
    ]
    return next((version for version in reversed(served) if version != now), "")


def promised(changes: Sequence[Change]) -> str:
    """Return the version that the last promotion or rollback left stable; empty if there was none; pure."""
    served = [change.data["serves"] for change in changes if "serves" in change.data]
    return str(served[-1]) if served else ""


def strays(found: TargetState, *, promised: str) -> tuple[str, ...]:
    """Return a warning for each way in which the target differs from what was deployed, or is wrong; pure."""
    warnings = []
    if promised and found.stable.version and found.stable.version != promised:
        warnings.append(
            f"The stable version is {found.stable.version}, but the last deployment left {promised}."
        )
    if len({item.version for item in found.instances if item.role == "stable"}) > 1:
        warnings.append("The stable instances run different versions.")
    if not found.stable.healthy:
        warnings.append("No stable instance is healthy.")
    if found.candidate is not None and found.candidate.weight_percent and not found.candidate.healthy:
        warnings.append("The candidate has a share of the traffic and is not healthy.")
    return tuple(warnings)


async def _observed(ctx: Context, service: str, by: str) -> TargetState:
    return await target_of(ctx, service, by=by).observe()


async def _read(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except ActionFailedError as error:
        raise ProbeUnavailableError(str(error), hint=error.hint, code=error.code) from error


def _shown(service: str, found: TargetState) -> str:
    def side(version: str, percent: float) -> str:
        return f"{version or 'an unknown version'} has {percent:g} %"

    text = f"{service}: {side(found.stable.version, found.stable.weight_percent)} of the traffic"
    if found.candidate is None:
        return text
    return f"{text}, {side(found.candidate.version, found.candidate.weight_percent)}"
