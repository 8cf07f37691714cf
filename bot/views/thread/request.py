"""The request for an approval: a message of its own, which mentions those who may decide."""

from __future__ import annotations

from datetime import datetime

from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run import Run
from bot.views.blocks import section
from bot.views.limits import bold, prose
from bot.views.phrases import DONE, ENDED, WAITING, human, sentence
from bot.views.thread.approval import decided_line, decision_blocks, reminder_blocks, request_line
from bot.views.thread.emergency import emergency_lines, waived_gates
from bot.views.thread.remedy import proposal, step_in_words


def request_blocks(run: Run, gate: Approval, *, now: datetime) -> list[JsonObject]:
    """Return what is proposed, who is asked and the buttons; after the decision, who decided."""
    plan = run.plan_for(gate.phase)
    if plan is None:
        return []
    what = what_for(gate, plan)
    if gate.decision is not None:
        return [_decided(gate, what=what)]
    first = f"{WAITING} {bold(f'Approval needed: {what}')}"
    asked = [] if gate.audience is None else [request_line(gate)]
    return [
        *([section(*lines)] if (lines := emergency_lines(run)) else []),
        section(first, *asked),
        *waived_gates(run),
        *(_of_step(run, gate, plan) if gate.step else proposal(plan)),
        *decision_blocks(gate, what=what, risk=plan.risk, now=now),
    ]


def reminder(run: Run, gate: Approval) -> list[JsonObject]:
    """Return the reminder of a request."""
    plan = run.plan_for(gate.phase)
    return reminder_blocks(gate, what=what_for(gate, plan) if plan is not None else gate.phase)


def what_for(gate: Approval, plan: RenderedPlan) -> str:
    """Return what is to be approved: the plan, or the step that has an approval of its own."""
    if not gate.step:
        return plan.summary
    step = next((step for step in plan.steps if step.id == gate.step), None)
    if step is not None:
        return step.title or human(step.id)
    return f"continue although the judge could not decide: {plan.summary}"


def _decided(gate: Approval, *, what: str) -> JsonObject:
    if gate.decision == "approved":
        return section(f"{DONE} {bold(what)}", decided_line(gate))
    unchanged = "" if gate.step else " Nothing was changed."
    return section(f"{ENDED} {bold(f'{what}: {gate.decision}')}", f"{decided_line(gate)}{unchanged}")


def _of_step(run: Run, gate: Approval, plan: RenderedPlan) -> list[JsonObject]:
    step = next((step for step in plan.steps if step.id == gate.step), None)
    if step is not None:
        return [section(step_in_words(step))]
    state = run.phases[gate.phase].steps.get(gate.step)
    verdict = state.verdict if state is not None else None
    return [] if verdict is None else [section(f"*So far:* {sentence(prose(verdict.text, 500))}")]
