"""Which plugin a step of a run calls, by its runbook and its plans."""

from __future__ import annotations

from bot.domain.runs.event import PlanRendered
from bot.domain.runs.runbook import Pipeline, Runbook, plan_source, steps_of


class Callees:
    """Knows the steps of a runbook; learns those of a plan when it is rendered."""

    def __init__(self, runbook: Runbook) -> None:
        """Read the steps that are written in the runbook."""
        self._runbook = runbook
        self._known = {
            (phase.id, step.id): step.plugin for phase in runbook.phases for step in steps_of(phase)
        }

    def learn(self, event: PlanRendered) -> None:
        """Note the steps of a plan for every pipeline that carries it out."""
        for phase in self._runbook.phases:
            if isinstance(phase, Pipeline) and plan_source(self._runbook, phase.id) == event.phase:
                self._known |= {(phase.id, step.id): step.plugin for step in event.plan.steps}

    def plugin(self, phase: str, step: str) -> str:
        """Return the plugin of a step; empty for a check or for a step that is not in the runbook or a plan.

        A step that is run for each item of a list is found by the name before its number.
        """
        return self._known.get((phase, step.partition("[")[0]), "")
