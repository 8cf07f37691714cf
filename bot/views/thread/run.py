"""The thread of a run: one root message, at most one reply for each phase, and the final line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Background, Explore, FanOut, Phase, Pipeline, Plan, Reduce, plan_source
from bot.views.blocks import message
from bot.views.phrases import (
    names_in,
)
from bot.views.thread.approval import reminder_blocks
from bot.views.thread.charts import phase_charts
from bot.views.thread.diagnosis import diagnosis_blocks, is_worth_showing
from bot.views.thread.ending import final_blocks
from bot.views.thread.evidence import found_blocks, is_worth_a_reply
from bot.views.thread.fix import is_pressing, pipeline_blocks
from bot.views.thread.remedy import plan_blocks
from bot.views.thread.rollout_chart import rollout_chart
from bot.views.thread.root import Style, root_blocks
from bot.views.thread.watch import watch_blocks


def run_messages(
    run: Run, *, now: datetime, style: Style = "classic", feedback: Sequence[Feedback] = ()
) -> tuple[DesiredMessage, ...]:
    """Return a run's thread, in order: ``root``, each ``phase:<id>`` and ``remind:<approval>``, ``final``.

    Pure, and unchanged while nothing happens: ``now`` decides only whether an approval's buttons still count.
    A reply that was once there stays.  ``feedback`` is shown below the diagnosis.
    """
    names = names_in(run)
    pressing = run.waiting_for is not None or run.outcome is not None
    messages = [message("root", root_blocks(run, style=style), names=names, urgent=pressing)]
    for phase in run.runbook.phases:
        blocks = _phase_blocks(run, phase, now=now, feedback=feedback)
        if blocks:
            messages.append(message(f"phase:{phase.id}", blocks, names=names, urgent=_is_urgent(run, phase)))
        messages += phase_charts(run, phase, names=names)
        if isinstance(phase, Pipeline):
            messages += rollout_chart(run, phase, names=names)
        messages += [
            message(f"remind:{gate.id}", _reminder(run, gate), names=names, urgent=gate.decision is not None)
            for gate in run.approvals.values()
            if gate.phase == phase.id and gate.reminded_at is not None
        ]
    if run.outcome is not None:
        messages.append(message("final", final_blocks(run), names=names, urgent=True))
    return tuple(messages)


def _reminder(run: Run, gate: Approval) -> list[JsonObject]:
    plan = run.plan_for(gate.phase)
    what = run.phases[gate.phase].steps[gate.step].title if gate.step else plan.summary if plan else ""
    return reminder_blocks(gate, what=what or gate.step or gate.phase)


def _phase_blocks(run: Run, phase: Phase, *, now: datetime, feedback: Sequence[Feedback]) -> list[JsonObject]:
    """Return a phase's reply; empty if the root's checklist shows enough."""
    if run.phases[phase.id].started_at is None:
        return []
    match phase:
        case Explore() | FanOut():
            return found_blocks(run, phase) if is_worth_a_reply(run, phase) else []
        case Reduce():
            return diagnosis_blocks(run, phase, feedback=feedback) if is_worth_showing(run, phase) else []
        case Plan():
            return [] if _is_carried_out(run, phase) else plan_blocks(run, phase)
        case Pipeline():
            return pipeline_blocks(run, phase, now=now)
        case Background():
            return watch_blocks(run, phase)
        case _:
            assert_never(phase)


def _is_carried_out(run: Run, plan: Plan) -> bool:
    """Return whether a pipeline shows the plan in its own reply; a skipped pipeline shows nothing."""
    found = run.phases[plan.id].plan
    only_shown = found is not None and bool(found.steps)
    return any(
        isinstance(phase, Pipeline)
        and plan_source(run.runbook, phase.id) == plan.id
        and not (only_shown and run.phases[phase.id].outcome == "skipped")
        for phase in run.runbook.phases
    )


def _is_urgent(run: Run, phase: Phase) -> bool:
    match phase:
        case Reduce() | FanOut():
            return run.phases[phase.id].outcome is not None
        case Pipeline():
            return is_pressing(run, phase)
        case Explore() | Plan() | Background():
            return False
        case _:
            assert_never(phase)
