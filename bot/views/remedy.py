"""PLAN and approval: exactly what would change, what it risks, how it is undone, and who decides."""

from __future__ import annotations

import json
from datetime import datetime

from bot.domain.approval import Approval
from bot.domain.model import JsonObject, JsonValue
from bot.domain.plan import PlannedStep, RenderedPlan
from bot.domain.run import Run
from bot.domain.runbook import Call, Check, Plan
from bot.views import ids
from bot.views.blocks import actions, button, confirmation, context, section, stack
from bot.views.limits import bold, code, prose
from bot.views.state import title_of
from bot.views.words import DONE, FAILED, duration, human, listed, local, several, utc, who

_INDENT = "      "
_VALUE_CHARS = 80
_HASH_CHARS = 8


def plan_blocks(run: Run, phase: Plan) -> list[JsonObject]:
    """Show a plan that no pipeline carries out."""
    state = run.phases[phase.id]
    if state.plan is None:
        return [section(f"{FAILED} {bold(title_of(phase), 120)}: {prose(state.why) or 'no plan'}")]
    if not state.plan.steps:
        return [section(f"{DONE} {bold(state.plan.summary)}: {prose(state.plan.why_empty)}")]
    return [section(bold(state.plan.summary)), *proposal(state.plan), context(plan_name(state.plan.digest))]


def proposal(plan: RenderedPlan) -> list[JsonObject]:
    """Show what will happen, step by step, what it risks and how it is verified."""
    steps = [_step(index, step) for index, step in enumerate(plan.steps, start=1)]
    blocks = [section("*This will*"), *stack(steps)] if len(steps) > 1 else stack(steps)
    rest = [f"*Risk:* {prose(plan.risk, 600)}"] if plan.risk else []
    if plan.verify:
        rest += ["*Then verified*", *(f"• {check_line(check)}" for check in plan.verify)]
    return [*blocks, section(*rest)] if rest else blocks


def check_line(check: Check) -> str:
    """Say a check: what is expected, within and for how long."""
    title = prose(check.title or human(check.id), 160)
    held = f", held for {duration(check.hold_s)}" if check.hold_s else ""
    return f"{title}: {code(check.expect, 160)} within {duration(check.within_s)}{held}"


def decision_blocks(plan: RenderedPlan, gate: Approval, *, now: datetime) -> list[JsonObject]:
    """Show who may decide, until when, and the buttons while they count."""
    blocks = [context(*_terms(gate), plan_name(gate.plan_hash))]
    if now < gate.expires_at:
        blocks.append(actions(*_buttons(plan, gate)))
    return blocks


def deciders(gate: Approval) -> str:
    """Name who may decide."""
    return listed([f"*@{prose(name, 60)}*" for name in gate.groups], last="or") or "an approver"


def decided_line(gate: Approval, *, day: datetime) -> str:
    """Say who decided and when; empty while nobody has."""
    at = "" if gate.decided_at is None else f" at {utc(gate.decided_at, day=day)}"
    match gate.decision:
        case None:
            return ""
        case "approved":
            people = list(gate.approved_by)
            return f"Approved by {listed([who(person) for person in people]) or who(gate.decided_by)}{at}."
        case "rejected":
            return f"Rejected by {who(gate.decided_by)}{at}. Nothing was changed."
        case "expired":
            return f"Nobody decided before {local(gate.expires_at)}. Nothing was changed."
        case "cancelled":
            return "Cancelled before anybody decided. Nothing was changed."


def plan_name(digest: str) -> str:
    """Name a plan by the beginning of its hash."""
    return f"plan `{digest[:_HASH_CHARS]}`"


def _step(index: int, step: PlannedStep) -> str:
    lines = [f"{index}. {bold(step.title or human(step.id))}", _INDENT + _call(step.plugin, step.arguments)]
    if step.action:
        lines.append(_INDENT + _undo(step))
    lines += [f"{_INDENT}Checked: {check_line(check)}" for check in step.verify]
    return "\n".join(lines)


def _undo(step: PlannedStep) -> str:
    if step.undo is not None:
        return f"Undo: {_undo_call(step.undo)}"
    return f"No undo: {prose(step.no_undo)}" if step.no_undo else "No undo."


def _undo_call(undo: Call) -> str:
    if "{{" in json.dumps(undo.arguments):
        return f"{code(undo.plugin, 100)}, back to what it was before"
    return _call(undo.plugin, undo.arguments)


def _call(plugin: str, arguments: JsonObject) -> str:
    words = ", ".join(f"{name}={_value(value)}" for name, value in arguments.items())
    return code(f"{plugin}({words})", 400)


def _value(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_CHARS else text[: _VALUE_CHARS - 1] + "…"


def _terms(gate: Approval) -> list[str]:
    needed = gate.policy.quorum
    terms = [f"{deciders(gate)} may decide until {local(gate.expires_at)}"]
    if needed > 1:
        agreed = listed([who(person) for person in gate.approved_by])
        terms.append(
            f"{len(gate.approved_by)} of {several(needed, 'approval')}" + (f": {agreed}" if agreed else "")
        )
    if gate.policy.allow_requester:
        terms.append(f"{who(gate.requested_by)} may approve too: {prose(gate.policy.why, 160)}")
    else:
        terms.append(f"{who(gate.requested_by)} asked for this and cannot approve it")
    return terms


def _buttons(plan: RenderedPlan, gate: Approval) -> tuple[JsonObject, JsonObject]:
    risk = f" Risk: {plan.risk}" if plan.risk else ""
    approve = button(
        "Approve",
        action_id=ids.APPROVE,
        value=gate.id,
        style="primary",
        confirm=confirmation("Approve this plan?", f"{plan.summary}.{risk}", yes="Approve"),
    )
    return approve, button("Reject", action_id=ids.REJECT, value=gate.id, style="danger")
