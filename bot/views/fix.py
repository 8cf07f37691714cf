"""PIPELINE: one message from proposed over approved and acting to verified."""

from __future__ import annotations

from datetime import datetime

from bot.domain.approval import Approval
from bot.domain.effect import Done
from bot.domain.model import JsonObject
from bot.domain.plan import RenderedPlan
from bot.domain.run import PhaseState, Run, StepState
from bot.domain.runbook import Pipeline
from bot.views.blocks import context, section, stack
from bot.views.limits import bold, prose
from bot.views.remedy import decided_line, decision_blocks, plan_name, proposal
from bot.views.state import is_check, is_verifying, name_of, plan_of, result_of, title_of, took
from bot.views.watch import bar
from bot.views.words import (
    ALARM,
    BUSY,
    DONE,
    ENDED,
    FAILED,
    OPEN,
    SKIPPED,
    STEP_OUTCOMES,
    UNDONE,
    WAITING,
    WARNING,
    duration,
    sentence,
)

_INDENT = "      "


def pipeline_blocks(run: Run, phase: Pipeline, *, now: datetime) -> list[JsonObject]:
    """Show the plan while it is to be decided, then how carrying it out goes."""
    state = run.phases[phase.id]
    plan = plan_of(run, phase)
    if plan is None:
        return [section(f"{FAILED} {bold(title_of(phase), 120)}: {prose(state.why) or 'there is no plan'}")]
    gate = run.gate(phase.id)
    first = section(_title(run, phase, plan, gate))
    if gate is not None and gate.decision is None:
        return [first, *proposal(plan), *decision_blocks(plan, gate, now=now)]
    decided = "" if gate is None else decided_line(gate, day=run.started_at)
    if gate is not None and gate.decision != "approved":
        return [section(_title(run, phase, plan, gate), decided), context(plan_name(gate.plan_hash))]
    lines = stack(_step_lines(state)) if len(state.steps) <= 1 else [section(*_step_lines(state))]
    failed = section(f"*Why it stopped:* {prose(state.why, 800)}") if _stopped(state) else None
    blocks = [section(_title(run, phase, plan, gate), decided), *lines]
    if failed is not None:
        blocks.append(failed)
    lasted = took(state, since=gate.decided_at if gate else None)
    return [*blocks, context(plan_name(plan.digest), f"took {lasted}" if lasted else "")]


def is_pressing(run: Run, phase: Pipeline) -> bool:
    """Whether somebody waits for this message: to decide, to see that a click counted, or for the end."""
    gate = run.gate(phase.id)
    if run.phases[phase.id].outcome is not None:
        return True
    return gate is not None and all(step.outcome is None for step in run.phases[phase.id].steps.values())


def in_doubt(step: StepState, *, over: bool) -> bool:
    """Whether nobody knows if a step's effect happened; while it runs, it is merely under way."""
    return step.outcome == "in_doubt" or (over and step.in_doubt)


def _title(run: Run, phase: Pipeline, plan: RenderedPlan, gate: Approval | None) -> str:
    state = run.phases[phase.id]
    if gate is not None and gate.decision is None:
        return f"{WAITING} {bold(f'Approval needed: {plan.summary}')}"
    if gate is not None and gate.decision != "approved":
        return f"{ENDED} {bold(f'{plan.summary}: {gate.decision}')}"
    match state.outcome:
        case None if is_verifying(run, phase):
            return f"{BUSY} {bold(f'{plan.summary}: done, verifying')}"
        case None:
            return f"{BUSY} {bold(plan.summary)}"
        case "ok":
            ended = "done and verified" if any(map(is_check, state.steps.values())) else "done"
            return f"{DONE} {bold(f'{plan.summary}: {ended}')}"
        case _ if any(in_doubt(step, over=True) for step in state.steps.values()):
            return f"{ALARM} {bold(f'{plan.summary}: in doubt, look before anything else is done')}"
        case _ if any(step.undone == "ok" for step in state.steps.values()):
            return f"{FAILED} {bold(f'{plan.summary}: {state.outcome}, put back')}"
        case _ if is_verifying(run, phase):
            return f"{FAILED} {bold(f'{plan.summary}: done, but recovery is not verified')}"
        case _:
            return f"{FAILED} {bold(f'{plan.summary}: {state.outcome}')}"


def _stopped(state: PhaseState) -> bool:
    """Whether the reason is not already on the line of the step that failed."""
    told = any(step.error and step.error in state.why for step in state.steps.values())
    return state.outcome not in {None, "ok"} and bool(state.why) and not told


def _step_lines(state: PhaseState) -> list[str]:
    over = state.outcome is not None
    lines: list[str] = []
    ahead = False
    for step in state.steps.values():
        lines.append(_step_line(state, step, over=over, ahead=ahead))
        ahead = ahead or step.outcome != "ok"
    return lines


def _step_line(state: PhaseState, step: StepState, *, over: bool, ahead: bool) -> str:
    name = prose(name_of(step), 160)
    if in_doubt(step, over=over):
        return _doubtful(step, name) + _undone(step)
    if step.outcome is None:
        return f"{SKIPPED if over else OPEN} {name}" if over or ahead else _under_way(state, step, name)
    mark, words = STEP_OUTCOMES[step.outcome]
    if step.outcome == "ok":
        said = _said(step)
        return f"{mark} {name}{f': {said}' if said else ''} · {duration(step.took_s)}{_undone(step)}"
    mark = FAILED if mark == WARNING else mark
    why = prose(step.error, 500) or words
    return f"{mark} {bold(name_of(step), 160)}: {sentence(why)}{_hint(step)}{_undone(step)}"


def _under_way(state: PhaseState, step: StepState, name: str) -> str:
    if not is_check(step) or not state.samples:
        return f"{BUSY} {name} …"
    last = state.samples[-1].text.removeprefix(f"{step.title}: ")
    return f"{BUSY} {name}: {prose(last)} {bar(state.samples, most=12)}"


def _doubtful(step: StepState, name: str) -> str:
    why = prose(step.error, 500) or "the bot was stopped before it heard the answer"
    return (
        f"{ALARM} *In doubt:* {name}. Nobody knows whether it happened: {sentence(why)}"
        f"\n{_INDENT}*Look at the target before anything else is done.*{_hint(step)}"
    )


def _hint(step: StepState) -> str:
    return f"\n{_INDENT}{prose(step.hint)}" if step.hint else ""


def _undone(step: StepState) -> str:
    if step.undone is None:
        return ""
    if step.undone == "ok":
        return f"\n{_INDENT}{UNDONE} put back"
    return f"\n{_INDENT}{ALARM} *could not be put back* ({STEP_OUTCOMES[step.undone][1]}): look at it by hand"


def _said(step: StepState) -> str:
    result = result_of(step)
    if isinstance(result, Done):
        return prose(result.summary) + ("" if result.changed else " (it already was so)")
    text = getattr(result, "text", "") or getattr(result, "summary", "")
    return prose(text)
