"""How a run ended, in the words that people act by; the journal's own outcomes keep their names."""

from __future__ import annotations

from typing import Literal, assert_never

from bot.domain.runs.event import RunOutcome
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import Pipeline

Ending = Literal[
    "recovered",
    "deployed",
    "stopped safely",
    "aborted",
    "blocked",
    "refused",
    "needs a person",
    "no fault found",
    "cause unclear",
    "rejected",
    "expired",
    "withdrawn",
    "plan only",
    "done",
]
"""The first seven are of runs that act, the next six of runs that did not.

``done`` is of a runbook that neither diagnoses nor deploys.
"""

_CHECKS = ("verify:", "judge:")
_GATES = "gates."
"""How the names of the probes begin that ask whether something may be deployed now."""
_MISTAKES = frozenset({"not_found", "unknown_service", "usage"})
"""Reasons of a gate that no waiting opens."""
_DEPLOYING = ("deploy-", "rollback")


def ending_of(run: Run) -> Ending | None:
    """Return how a run ended; none while it is active."""
    return None if run.outcome is None else _ending(run, run.outcome)


def changes_of(run: Run) -> list[StepState]:
    """Return the steps of a run's pipelines that changed something, or tried to, in order."""
    return [
        step
        for phase in run.runbook.phases
        if isinstance(phase, Pipeline)
        for step in run.phases[phase.id].steps.values()
        if step.intent_key and not step.id.startswith(_CHECKS)
    ]


def stopped_by(run: Run) -> StepState | None:
    """Return the judged step at which a rollout was stopped; none if its judge did not stop it."""
    return next(
        (
            step
            for phase in run.phases.values()
            for step in phase.steps.values()
            if step.verdict is not None and step.verdict.decision == "stop" and step.outcome == "failed"
        ),
        None,
    )


def blocked_by(run: Run) -> StepState | None:
    """Return the gate that did not allow a run to begin; none if all were open."""
    for phase in run.runbook.phases:
        for step in getattr(phase, "steps", ()):
            state = run.phases[phase.id].steps.get(step.id)
            closed = state is not None and state.outcome == "failed" and state.reason not in _MISTAKES
            if closed and (step.probe or "").startswith(_GATES):
                return state
    return None


def in_doubt(run: Run) -> bool:
    """Return whether it is unknown if one of a run's changes happened, or was rolled back."""
    return any(
        step.in_doubt or step.undo_in_doubt or "in_doubt" in (step.outcome, step.undone)
        for step in changes_of(run)
    )


def _ending(run: Run, outcome: RunOutcome) -> Ending:
    match outcome:
        case "recovered":
            return "recovered"
        case "no_fault_found":
            return "no fault found"
        case "unclear":
            return "cause unclear"
        case "rejected" | "expired" | "withdrawn":
            return outcome
        case "cancelled":
            return "needs a person" if in_doubt(run) else "aborted"
        case "no_remedy" | "not_recovered":
            return "needs a person"
        case "breached":
            return "stopped safely" if _all_rolled_back(run) else "needs a person"
        case "done":
            return _done(run)
        case "failed":
            return _failed(run)
        case _:
            assert_never(outcome)


def _done(run: Run) -> Ending:
    if not is_deployment(run):
        return "done"
    pipelines = [phase for phase in run.runbook.phases if isinstance(phase, Pipeline)]
    acted = any(run.phases[phase.id].outcome == "ok" for phase in pipelines)
    return "deployed" if acted or not pipelines else "plan only"


def _failed(run: Run) -> Ending:
    if in_doubt(run) or not is_deployment(run):
        return "needs a person"
    if run.steering.aborted_by is not None and _nothing_left(run):
        return "aborted"
    done = [step for step in changes_of(run) if step.outcome == "ok"]
    if done:
        return "stopped safely" if _all_rolled_back(run) else "needs a person"
    if blocked_by(run) is not None:
        return "blocked"
    tried = {step.outcome for step in changes_of(run)}
    if not tried:
        return "refused"
    return "stopped safely" if tried == {"failed"} else "needs a person"


def is_deployment(run: Run) -> bool:
    """Return whether a run deploys or rolls back by its runbook's name."""
    return run.runbook.name.startswith(_DEPLOYING)


def _nothing_left(run: Run) -> bool:
    return all(step.undone == "ok" for step in changes_of(run) if step.outcome == "ok")


def _all_rolled_back(run: Run) -> bool:
    done = [step for step in changes_of(run) if step.outcome == "ok"]
    return bool(done) and all(step.undone == "ok" for step in done)
