"""Derives how a run ended from how its phases ended; pure."""

from __future__ import annotations

from typing import assert_never

from bot.domain.runs.event import RunOutcome
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Background, Explore, FanOut, Pipeline, Reduce


def outcome_of(run: Run) -> tuple[RunOutcome, str]:
    """Return a finished run's outcome, and a summary of one sentence."""
    if run.cancelled_by is not None:
        why = f": {run.cancelled_why}" if run.cancelled_why else "."
        return "cancelled", f"{run.cancelled_by.name or 'Someone'} cancelled it{why}"
    return _in_part(run) or _of_phases(run) or _of_diagnosis(run)


def _of_phases(run: Run) -> tuple[RunOutcome, str] | None:
    for phase in run.runbook.phases:
        state = run.phases[phase.id]
        if isinstance(phase, Pipeline):
            ended = _of_pipeline(state.outcome, state.why, verified=_only_verification_failed(run, phase.id))
            if ended is not None:
                return ended
        elif isinstance(phase, Background) and state.outcome == "breached":
            what = "came back" if run.diagnosis is not None else "failed"
            return "breached", f"It {what} while I watched: {state.why}"
        elif state.outcome == "failed" and not isinstance(phase, Background):
            if isinstance(phase, Explore | FanOut) and not phase.required:
                continue  # it may return nothing; the reducer decides what that means
            if isinstance(phase, Explore | FanOut | Reduce) and phase.required:
                return "failed", f"Nothing was changed: {state.why}"
            return "failed", f"{phase.title or phase.id} failed: {state.why}"
    return None


def _in_part(run: Run) -> tuple[RunOutcome, str] | None:
    """Return the outcome of a run whose earlier changes were approved and a later one not; else none."""
    done: list[str] = []
    for phase in run.runbook.phases:
        state, title = run.phases[phase.id], phase.title or phase.id
        if isinstance(phase, Pipeline) and state.outcome == "ok":
            done.append(title)
        elif isinstance(phase, Pipeline) and state.outcome in ("rejected", "expired", "withdrawn") and done:
            return "done", f"{' and '.join(done)}: done. {title}: not done, because {state.why}."
    return None


def _of_pipeline(outcome: str | None, why: str, *, verified: bool) -> tuple[RunOutcome, str] | None:
    match outcome:
        case "rejected":
            return "rejected", f"Nothing was changed: {why}."
        case "expired":
            return "expired", f"Nothing was changed: {why}."
        case "withdrawn":
            return "withdrawn", f"Nothing was changed: {why.rstrip('.')}."
        case "failed" if verified:
            return "not_recovered", f"The fix was applied, but recovery could not be verified. {why}"
        case "failed" | "breached":
            return "failed", why
        case _:
            return None


def _only_verification_failed(run: Run, phase: str) -> bool:
    steps = run.phases[phase].steps.values()
    acted = [step for step in steps if not step.id.startswith("verify:")]
    return bool(acted) and all(step.outcome == "ok" and step.undone is None for step in acted)


def _of_diagnosis(run: Run) -> tuple[RunOutcome, str]:
    diagnosis = run.diagnosis
    fixed = any(isinstance(p, Pipeline) and run.phases[p.id].outcome == "ok" for p in run.runbook.phases)
    if diagnosis is None:
        return "done", "Done."
    if fixed:
        return "recovered", diagnosis.summary
    match diagnosis.verdict:
        case "no_fault_found":
            return "no_fault_found", diagnosis.summary
        case "unclear":
            return "unclear", diagnosis.summary
        case "cause_found":
            return "no_remedy", diagnosis.summary
        case _:
            assert_never(diagnosis.verdict)
