"""The request for an approval: a message of its own, which mentions those who may decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.model import JsonObject
from bot.domain.people import Person
from bot.domain.runs.approval import Approval
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run import Run
from bot.views import ids
from bot.views.blocks import actions, button, context, section
from bot.views.limits import bold, prose
from bot.views.phrases import DONE, ENDED, WAITING, channel, human, sentence
from bot.views.thread.approval import (
    decided_line,
    decision_blocks,
    personal_line,
    reminder_blocks,
    request_line,
)
from bot.views.thread.diagnosis import cause_in_root
from bot.views.thread.emergency import emergency_lines, waived_gates
from bot.views.thread.remedy import proposal, step_in_words
from bot.views.thread.state import subject_of


def request_blocks(
    run: Run, gate: Approval, *, now: datetime, asks: Callable[[Approval], str] = request_line
) -> list[JsonObject]:
    """Return what is proposed, who is asked and the buttons; after the decision, who decided."""
    plan = run.plan_for(gate.phase)
    if plan is None:
        return []
    what = what_for(gate, plan)
    if gate.decision is not None:
        return [_decided(gate, what=what)]
    first = f"{WAITING} {bold(f'Approval needed: {what}')}"
    asked = [] if gate.audience is None else [asks(gate)]
    return [
        *([section(*lines)] if (lines := emergency_lines(run)) else []),
        section(first, *asked),
        *waived_gates(run),
        *(_of_step(run, gate, plan) if gate.step else proposal(plan)),
        *decision_blocks(gate, what=what, risk=plan.risk, now=now),
    ]


def asks_directly(run: Run) -> bool:
    """Return whether people are, or were, asked for a decision in direct messages."""
    return any(gate.audience is not None and gate.audience.direct for gate in run.approvals.values())


def own_request_blocks(
    run: Run,
    gate: Approval,
    *,
    viewer: str,
    now: datetime,
    asks: Callable[[Approval], str] = request_line,
) -> list[JsonObject]:
    """Return a request as one person sees it, by id: without the buttons once this person has approved."""
    shown = request_blocks(run, gate, now=now, asks=asks)
    voted = any(one.id == viewer for one in gate.approved_by)
    return [block for block in shown if block["type"] != "actions"] if voted else shown


def direct_blocks(run: Run, gate: Approval, person: Person, *, now: datetime, link: str) -> list[JsonObject]:
    """Return the request for one approver alone, who may not be looking at the channel.

    The buttons are gone once this person has voted, or the decision is made.  ``link`` opens the thread.
    """
    top = run.diagnosis.top if run.diagnosis is not None else None
    place = channel(run.origin.channel)
    about = f"{prose(subject_of(run), 200)}{f' in {place}' if place else ''}"
    opens = open_thread(run, link=link)
    more = [actions(opens)] if opens is not None else []
    shown = own_request_blocks(run, gate, viewer=person.id, now=now, asks=personal_line)
    rows = [block for block in shown if block["type"] == "actions"]
    if not rows:
        return [*shown, context(about), *more]
    cause = [section(cause_in_root(run, top))] if top is not None else []
    rest = [block for block in shown if block["type"] != "actions"]
    buttons = [item for row in rows for item in _elements(row)] + ([opens] if opens is not None else [])
    return [*rest, *cause, context(about), actions(*buttons)]


def open_thread(run: Run, *, link: str) -> JsonObject | None:
    """Return the button that opens a run's thread; none without its address."""
    return button("Open thread", action_id=ids.OPEN_THREAD, value=run.id, url=link) if link else None


def _elements(row: JsonObject) -> list[JsonObject]:
    elements = row["elements"]
    return [item for item in elements if isinstance(item, dict)] if isinstance(elements, list) else []


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
    if gate.decision == "cancelled" and gate.step.startswith("judge:"):
        return section(
            f"{ENDED} {bold(what)}", "No longer needed: the rollout went on, or ended, without it."
        )
    unchanged = "" if gate.step else " Nothing was changed."
    return section(f"{ENDED} {bold(f'{what}: {gate.decision}')}", f"{decided_line(gate)}{unchanged}")


def _of_step(run: Run, gate: Approval, plan: RenderedPlan) -> list[JsonObject]:
    step = next((step for step in plan.steps if step.id == gate.step), None)
    if step is not None:
        return [section(step_in_words(step))]
    state = run.phases[gate.phase].steps.get(gate.step)
    verdict = state.verdict if state is not None else None
    return [] if verdict is None else [section(f"*So far:* {sentence(prose(verdict.text, 500))}")]
