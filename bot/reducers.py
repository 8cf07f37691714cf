"""The named reducers, each with what it folds; the set is closed."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import ReducerName
from bot.engine.deps import ReduceInput, Reducer
from bot.ranker import diagnose, since_s_of
from bot.services.rollback_safety import SafetyReport, rollback_safety, safety_report


def causes(given: ReduceInput) -> Diagnosis:
    """Rank the causes that the folded phases' findings support; each step is one source."""
    steps = tuple(step for phase in given.phases for step in phase.steps.values())
    since_s = since_s_of(given.arguments)
    return diagnose(given.run.service, steps, catalogue=given.catalogue, now=given.now, since_s=since_s)


def every(given: ReduceInput) -> ReducerResult:
    """Pass when every step succeeded; a step that could not be read makes it unknown."""
    good, bad, unread = _sorted(given.phases)
    if bad:
        return ReducerResult(
            verdict="fail", summary=f"{len(bad)} of {_count(good, bad, unread)} failed", details=bad
        )
    if unread or not good:
        return ReducerResult(verdict="unknown", summary="not everything could be read", details=unread)
    return ReducerResult(verdict="pass", summary=f"all {len(good)} are well")


def some(given: ReduceInput) -> ReducerResult:
    """Pass when one step succeeded; unknown when none did and some could not be read."""
    good, bad, unread = _sorted(given.phases)
    if good:
        return ReducerResult(verdict="pass", summary=f"{len(good)} of {_count(good, bad, unread)} are well")
    verdict = "unknown" if unread else "fail"
    return ReducerResult(verdict=verdict, summary="none is well", details=(*bad, *unread))


def worst(given: ReduceInput) -> ReducerResult:
    """Return the worst step's result: failed, then unread, then well."""
    good, bad, unread = _sorted(given.phases)
    if bad:
        return ReducerResult(verdict="fail", summary=bad[0], details=bad)
    if unread or not good:
        return ReducerResult(verdict="unknown", summary=(*unread, "nothing was read")[0], details=unread)
    return ReducerResult(verdict="pass", summary=f"all {len(good)} are well")


def way_back(given: ReduceInput) -> ReducerResult:
    """Return whether a rollback is possible, from each step whose ``data`` has a ``rollback`` key."""
    steps = (step for phase in given.phases for step in phase.steps.values())
    words = [word for step in steps if (word := _report_of(step)) is not None]
    return rollback_safety(words, accepted=given.arguments.get("accept") is True)


def _report_of(step: StepState) -> SafetyReport | None:
    if step.outcome == "not_configured":
        return None
    if step.outcome != "ok" or step.result is None:
        return SafetyReport(source=step.title, because=step.error or "it did not answer")
    data = step.result.get("data")
    return safety_report(step.title, data) if isinstance(data, dict) else None


REDUCERS: Mapping[ReducerName, Reducer] = {
    "rank_causes": causes,
    "all": every,
    "any": some,
    "worst": worst,
    "rollback_safety": way_back,
}


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
