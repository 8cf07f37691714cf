"""PLAN: exactly what would change, its risk, its undo and its verification."""

from __future__ import annotations

import json

from bot.domain.formatting import duration, several
from bot.domain.model import JsonObject, JsonValue
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Check, Plan, PluginCall
from bot.views.blocks import context, section, stack
from bot.views.limits import bold, code, prose
from bot.views.phrases import (
    FAILED,
    SKIPPED,
    human,
    sentence,
)
from bot.views.thread.state import title_of

_VALUE_CHARS = 80
_MOST_STEPS = 6
_HASH_CHARS = 8


def plan_blocks(run: Run, phase: Plan) -> list[JsonObject]:
    """Return a plan that no pipeline carries out."""
    state = run.phases[phase.id]
    if state.plan is None:
        return [section(f"{FAILED} {bold(title_of(phase), 120)}: {prose(state.why) or 'no plan'}")]
    if not state.plan.steps:
        return [section(f"{SKIPPED} {bold(state.plan.summary)}: {prose(state.plan.why_empty)}")]
    return [section(bold(state.plan.summary)), *proposal(state.plan)]


def proposal(plan: RenderedPlan) -> list[JsonObject]:
    """Return in words what will happen, whether it can be undone, the risk and how success is verified."""
    titles = [
        prose(step.title or human(step.id), 160) + (" (needs its own approval)" if step.approval else "")
        for step in plan.steps
        if step.action
    ]
    listing = len(titles) > 1 or any(step.approval for step in plan.steps)
    does = [f"*It will:* {sentence('; '.join(titles[:_MOST_STEPS]))}"] if listing else []
    more = [f"and {several(len(titles) - _MOST_STEPS, 'more step')}"] if len(titles) > _MOST_STEPS else []
    risk = [f"*Risk:* {sentence(prose(plan.risk, 600))}"] if plan.risk else []
    checks = [prose(check.title or human(check.id), 160) for check in plan.verify]
    success = [f"*Success means:* {sentence('; '.join(checks))}"] if checks else []
    lines = [*does, *more, *risk, *_undoing(plan), *success]
    return [section(*lines)] if lines else []


def _undoing(plan: RenderedPlan) -> list[str]:
    """Return what of a plan cannot be undone; empty if all of it can."""
    lasting = [step for step in plan.steps if step.action and step.undo is None]
    reasons = dict.fromkeys(prose(step.no_undo) for step in lasting if step.no_undo)
    if not lasting:
        return []
    return [f"*No undo:* {sentence(' '.join(reasons)) or 'it cannot be undone automatically.'}"]


def plan_in_full(plan: RenderedPlan) -> list[JsonObject]:
    """Return every step with its call and its undo, and every check with its expression."""
    steps = [step_card(step, index=index) for index, step in enumerate(plan.steps, start=1)]
    blocks = [section(bold(f"Plan: {plan.summary}")), *stack(steps)]
    if plan.verify:
        blocks.append(section("*Success means*", *(f"• {check_line(check)}" for check in plan.verify)))
    return [*blocks, context(plan_name(plan.digest))]


def in_the_past(summary: str) -> str:
    """Return the summary of a plan that was carried out: what was so *now* before it *was* so."""
    return summary.replace("(now ", "(was ")


def step_in_words(step: PlannedStep) -> str:
    """Return one step that has an approval of its own: what it does and whether it can be undone."""
    lasting = f"*No undo:* {sentence(prose(step.no_undo) or 'it cannot be undone automatically')}"
    return "\n".join((bold(step.title or human(step.id)), lasting if step.undo is None else ""))


def check_line(check: Check) -> str:
    """Return a check: what is expected, within which time and for how long."""
    title = prose(check.title or human(check.id), 160)
    held = f", held for {duration(check.hold_s)}" if check.hold_s else ""
    return f"{title}: {code(check.expect, 160)} within {duration(check.within_s)}{held}"


def plan_name(digest: str) -> str:
    """Return the name of a plan, from the beginning of its hash."""
    return f"plan `{digest[:_HASH_CHARS]}`"


def step_card(step: PlannedStep, *, index: int = 0) -> str:
    """Return one step with its resolved arguments, its undo and its checks."""
    name = bold(step.title or human(step.id))
    lines = [f"{index}. {name}" if index else name, _call(step.plugin, step.arguments)]
    if step.approval is not None:
        lines.append("Needs a separate approval.")
    if step.action:
        lines.append(_undo(step))
    lines += [f"Checked: {check_line(check)}" for check in step.verify]
    return "\n".join(lines)


def _undo(step: PlannedStep) -> str:
    if step.undo is not None:
        return f"Undo: {_undo_call(step.undo)}"
    return f"No undo: {prose(step.no_undo)}" if step.no_undo else "No undo."


def _undo_call(undo: PluginCall) -> str:
    if "{{" in json.dumps(undo.arguments):
        return f"{code(undo.plugin, 100)}, restores the earlier state"
    return _call(undo.plugin, undo.arguments)


def _call(plugin: str, arguments: JsonObject) -> str:
    words = ", ".join(f"{name}={_value(value)}" for name, value in arguments.items())
    return code(f"{plugin}({words})", 400)


def _value(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_CHARS else text[: _VALUE_CHARS - 1] + "…"
