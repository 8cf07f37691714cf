"""The state of a rollout, read from its run."""

from __future__ import annotations

from bot.domain.runs.run import Run
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import Pipeline


def rollout_under_way(run: Run) -> Pipeline | None:
    """Find the pipeline that is rolling something out under a judge now."""
    if run.outcome is not None:
        return None
    for phase in run.runbook.phases:
        if isinstance(phase, Pipeline) and any(step.judge for step in phase.steps):
            state = run.phases[phase.id]
            if state.outcome is None and any(step.intent_key for step in state.steps.values()):
                return phase
    return None


def judged_now(run: Run, phase: Pipeline) -> StepState | None:
    """Find the judgement that is under way in a phase."""
    steps = run.phases[phase.id].steps.values()
    return next((step for step in steps if step.readings and step.outcome is None), None)


def last_judged(run: Run) -> StepState | None:
    """Find the latest judgement of a run, however it went."""
    judged = [step for state in run.phases.values() for step in state.steps.values() if step.verdict]
    return judged[-1] if judged else None


def share_of(step: StepState) -> float | None:
    """Return the canary's share of the traffic, 0 to 1, from the latest look that has it."""
    for reading in reversed(step.readings):
        for seen in reading.seen.values():
            weight = seen.data.get("weight")
            if isinstance(weight, int | float) and not isinstance(weight, bool):
                return float(weight)
    return None
