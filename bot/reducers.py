"""The named reducers, joined to what they fold; the set is closed."""

from __future__ import annotations

from collections.abc import Mapping

from bot.analysis.causes import rank_causes
from bot.domain.diagnosis import Diagnosis, Judgement, Source, SourceStatus
from bot.domain.event import StepOutcome
from bot.domain.finding import Findings
from bot.domain.run import PhaseState, StepState
from bot.domain.runbook import ReducerName
from bot.engine.deps import ReduceInput, Reducer

_STATUS: Mapping[StepOutcome, SourceStatus] = {
    "ok": SourceStatus.OK,
    "failed": SourceStatus.UNAVAILABLE,
    "unavailable": SourceStatus.UNAVAILABLE,
    "garbage": SourceStatus.GARBAGE,
    "not_configured": SourceStatus.NOT_CONFIGURED,
    "timed_out": SourceStatus.TIMED_OUT,
    "crashed": SourceStatus.CRASHED,
    "in_doubt": SourceStatus.UNAVAILABLE,
}
_DEFAULT_SINCE_S = 1800.0


def causes(given: ReduceInput) -> Diagnosis:
    """Rank the causes that the folded phases' findings speak for; each step is one source."""
    since = given.arguments.get("since_s", _DEFAULT_SINCE_S)
    return rank_causes(
        service=given.run.service,
        catalogue=given.catalogue,
        results={step.id: reading_of(step) for phase in given.phases for step in phase.steps.values()},
        now=given.now,
        since_s=float(since) if isinstance(since, int | float | str) else _DEFAULT_SINCE_S,
    )


def reading_of(step: StepState) -> Findings | Source:
    """Read a step's findings, or say how reading its source went."""
    if step.outcome == "ok" and step.result is not None and step.result.get("type") == "findings":
        return Findings.model_validate(step.result)
    status = _STATUS[step.outcome] if step.outcome is not None else SourceStatus.TIMED_OUT
    if status is SourceStatus.OK:
        return Source(name=step.id, status=SourceStatus.GARBAGE, why="it brought no findings")
    return Source(name=step.id, status=status, why=step.error)


def every(given: ReduceInput) -> Judgement:
    """Pass when every step went well; one that could not be read leaves it unknown."""
    good, bad, unread = _sorted(given.phases)
    if bad:
        return Judgement(
            verdict="fail", summary=f"{len(bad)} of {_count(good, bad, unread)} failed", details=bad
        )
    if unread or not good:
        return Judgement(verdict="unknown", summary="not everything could be read", details=unread)
    return Judgement(verdict="pass", summary=f"all {len(good)} are well")


def some(given: ReduceInput) -> Judgement:
    """Pass when one step went well; unknown when none did and some could not be read."""
    good, bad, unread = _sorted(given.phases)
    if good:
        return Judgement(verdict="pass", summary=f"{len(good)} of {_count(good, bad, unread)} are well")
    verdict = "unknown" if unread else "fail"
    return Judgement(verdict=verdict, summary="none is well", details=(*bad, *unread))


def worst(given: ReduceInput) -> Judgement:
    """Take the worst step's word: failed, then unread, then well."""
    good, bad, unread = _sorted(given.phases)
    if bad:
        return Judgement(verdict="fail", summary=bad[0], details=bad)
    if unread or not good:
        return Judgement(verdict="unknown", summary=(*unread, "nothing was read")[0], details=unread)
    return Judgement(verdict="pass", summary=f"all {len(good)} are well")


REDUCERS: Mapping[ReducerName, Reducer] = {"rank_causes": causes, "all": every, "any": some, "worst": worst}


def _sorted(phases: tuple[PhaseState, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    good: list[str] = []
    bad: list[str] = []
    unread: list[str] = []
    for step in (step for phase in phases for step in phase.steps.values()):
        if step.outcome == "ok":
            good.append(step.title)
        elif step.outcome in ("failed", "in_doubt"):
            bad.append(f"{step.title}: {step.error}")
        else:
            unread.append(f"{step.title}: {step.error or 'no answer'}")
    return tuple(good), tuple(bad), tuple(unread)


def _count(*groups: tuple[str, ...]) -> int:
    return sum(len(group) for group in groups)
