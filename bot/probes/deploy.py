"""Reads what a deployment needs to know about its target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from bot.canary.after_switch import CountsAt, CountsWindow, judge_after_switch
from bot.canary.forecast import forecast as foresee
from bot.canary.sequential import increase
from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.model import JsonObject, Share
from bot.domain.rollouts.judging import RequestTally, Traffic
from bot.engine.plugins import Context, probe
from bot.ports.targets import SideCounts, TargetCounts, TargetState
from bot.targets.registry import target_of

_NOT_SUPPORTED = "not_supported"
_MEMORY_S = 30 * 86_400.0

Percent = Annotated[int, Field(gt=0, lt=100)]
"""Of the traffic, less than all of it."""
Seconds = Annotated[float, Field(gt=0, le=60)]

T = TypeVar("T")


@probe(specialist="cicd")
async def observe(ctx: Context, *, service: str, by: str = "") -> Facts:
    """Which versions of ``service`` run, and each one's share of the traffic (percent).

    What serves is compared with what the last promotion or rollback of the last 30 days recorded;
    ``data.warnings`` lists where they differ, as after a restart that forgot the weights.  ``data.counts``
    holds the counters of both sides at that moment, for ``deploy.errors``; null where the target has none.

    Raises:
        ProbeUnavailableError: the target cannot be read; that does not mean that nothing runs.
    """
    found = await _read(_observed(ctx, service, by))
    changes = await ctx.ledger.since(service=service, seconds=_MEMORY_S) if found.tells_version else ()
    warnings = strays(found, promised=promised(changes))
    counted = await _counted(ctx, service, by)
    data: JsonObject = {
        **found.model_dump(mode="json"),
        "warnings": [*warnings],
        "counts": None if counted is None else counted.model_dump(mode="json"),
    }
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
        return Facts(
            summary=f"{service}, since its target began to count: {shares}",
            data=found.model_dump(mode="json"),
        )

    return await _read(read())


@probe(specialist="cicd")
async def errors(
    ctx: Context,
    *,
    service: str,
    by: str = "",
    since: JsonObject | None = None,
    began: JsonObject | None = None,
    until: JsonObject | None = None,
    last: JsonObject | None = None,
    at_most: Share = 0.05,
) -> Facts:
    """Return whether ``service`` fails more of its requests, or is asked less, than before a switch.

    ``since`` holds the target's counters at the switch, ``began`` and ``until`` those of a time before it,
    ``last`` those of the last look.  ``data.well`` is false if the errors since the switch are surely more
    than before or, where fewer than 100 requests came before, more than the share ``at_most``; or if the
    requests dry up.  Where nothing is counted it is true, and ``data.watch.known`` is false: the text states
    that errors are not watched.

    Raises:
        ProbeUnavailableError: the target cannot be asked.
    """
    try:
        now = await target_of(ctx, service, by=by).counts()
    except ActionFailedError as error:
        if error.code != _NOT_SUPPORTED:
            raise ProbeUnavailableError(str(error), hint=error.hint, code=error.code) from error
        return _unwatched(f"errors are not watched here: {str(error)[0].lower()}{str(error)[1:].rstrip('.')}")
    if since is None:
        return _unwatched("errors are not watched here: the counters at the switch were not read")
    found = judge_after_switch(
        before=CountsWindow.between(_stable(began), _stable(until)),
        since=CountsWindow.between(_stable(since), _stable(now)),
        latest=CountsWindow.between(_stable(last or since), _stable(now)),
        at_most=at_most,
    )
    watch: JsonObject = {
        "known": found.known, "remark": found.text, "counts": now.model_dump(mode="json")
    }  # fmt: skip
    return Facts(summary=found.text, data={"well": found.well, "watch": watch})


def _unwatched(why: str) -> Facts:
    return Facts(summary=why, data={"well": True, "watch": {"known": False, "remark": why, "counts": None}})


def _stable(counted: JsonObject | TargetCounts | None) -> CountsAt | None:
    if counted is None:
        return None
    read = TargetCounts.model_validate(counted)
    return CountsAt(at_s=read.at_s, tally=_tally(read.stable))


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
    ctx: Context,
    *,
    service: str,
    percent: Percent,
    within_s: float,
    least_percent: Percent | None = None,
    harmless_share: Share = 0.005,
    sample_s: Seconds = 2.0,
) -> Facts:
    """Whether a canary will get enough traffic to be judged, before it gets any.

    That is, to detect a doubling of the errors at ``percent`` % of the traffic, and to pass a good one at
    ``least_percent`` % (the same if not given), each within ``within_s`` s, after which a person is asked.
    A share of errors surely below ``harmless_share`` passes without a comparison.
    Traffic and errors are what came in ``sample_s`` seconds, never what the target has counted since it was
    started; ``data`` has the fields of ``judge``'s forecast: ``enough``, ``needed_s``, ``errors_needed``,
    ``passes_s`` and ``text``.

    Raises:
        ProbeUnavailableError: the target cannot be read, or does not count requests.
    """
    target = target_of(ctx, service)
    before = await _read(target.counts())
    await asyncio.sleep(sample_s)
    after = await _read(target.counts())
    canary, stable = (increase(_tally(then), _tally(now)) for then, now in _sides(before, after))
    lasted_s = max(after.at_s - before.at_s, 0.001)
    outlook = foresee(
        Traffic(
            requests_per_s=(canary.requests + stable.requests) / lasted_s,
            error_share=stable.errors / stable.requests if stable.requests else 0.0,
            canary_share=percent / 100,
            least_share=None if least_percent is None else least_percent / 100,
            harmless_share=harmless_share,
            window_s=within_s,
            measured_s=lasted_s,
        )
    )
    return Facts(summary=outlook.text, data=outlook.model_dump(mode="json"))


@probe(specialist="cicd")
async def back_to(ctx: Context, *, service: str, version: str = "", by: str = "") -> Facts:
    """Which version a rollback of ``service`` leads to: ``version``, or the previous one.

    While a candidate has traffic, that is the stable version; otherwise the version that served before it,
    from the change ledger of the last 30 days.  A flag that is on for any user goes back to ``off``.
    ``data`` holds ``version``, ``current``, ``why``, and ``serves``: the stable version, which must still be
    that one when the rollback is carried out; null while a candidate has traffic, as the rollback ends that.

    Raises:
        ProbeUnavailableError: the target cannot be read, or no earlier version is known.
    """
    found = await _read(_observed(ctx, service, by))
    current, candidate = found.stable.version, found.candidate
    is_rolling = candidate is not None and bool(candidate.weight_percent)
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
        data={
            "version": version,
            "current": current,
            "why": why,
            "serves": None if is_rolling else found.stable.version,
        },
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


def _sides(before: TargetCounts, after: TargetCounts) -> tuple[tuple[SideCounts, SideCounts], ...]:
    return (before.canary, after.canary), (before.stable, after.stable)


def _tally(side: SideCounts) -> RequestTally:
    return RequestTally(requests=side.requests, errors=side.errors)


async def _counted(ctx: Context, service: str, by: str) -> TargetCounts | None:
    """Read the counters; none where the target has none, or does not answer."""
    try:
        return await target_of(ctx, service, by=by).counts()
    except ActionFailedError:
        return None


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
