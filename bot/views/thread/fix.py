"""PIPELINE: one message for a fix, from the proposal to its verification."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain.diagnoses.finding import Measurement
from bot.domain.formatting import listed
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Pipeline
from bot.views.blocks import context, section
from bot.views.limits import bold, prose
from bot.views.phrases import (
    ALARM,
    BUSY,
    DONE,
    ENDED,
    FAILED,
    OPEN,
    PAUSED,
    SKIPPED,
    STEP_OUTCOMES,
    UNDONE,
    WAITING,
    WARNING,
    capital,
    human,
    sentence,
    without_ids,
)
from bot.views.steering import steered_line
from bot.views.thread.approval import decided_line, deciders
from bot.views.thread.request import request_blocks
from bot.views.thread.rollout import rollout_blocks, verdict_line
from bot.views.thread.state import is_check, is_verifying, result_of, title_of
from bot.views.thread.watch import bar

_LETTERS = re.compile(r"[A-Za-z]{2}")


def pipeline_blocks(run: Run, phase: Pipeline, *, now: datetime) -> list[JsonObject]:
    """Return the plan while a decision is pending, then the progress of its steps."""
    state = run.phases[phase.id]
    plan = run.plan_for(phase.id)
    if plan is None:
        return [section(f"{FAILED} {bold(title_of(phase), 120)}: {prose(state.why) or 'no plan'}")]
    gate = run.gate(phase.id, step="")
    if gate is not None and gate.decision is None and gate.audience is not None:
        return [section(f"{WAITING} {bold(title_of(phase), 120)}: waiting for the approval requested below")]
    if gate is not None and gate.decision is None:
        return request_blocks(run, gate, now=now)
    if gate is not None and gate.decision != "approved":
        title = bold(f"{plan.summary}: {gate.decision}")
        return [section(f"{ENDED} {title}", f"{decided_line(gate)} Nothing was changed.")]
    if gate is None and state.outcome == "withdrawn":
        title = bold(f"{plan.summary}: not asked for")
        why = capital(sentence(prose(state.why, 600)))
        return [section(f"{ENDED} {title}", f"{why} Nothing was changed.")]
    return _carried_out(run, phase, plan, now=now)


def is_pressing(run: Run, phase: Pipeline) -> bool:
    """Return whether a person is waiting for it: to decide, to see a click count, or for the end."""
    steps = run.phases[phase.id].steps
    gate = run.gate(phase.id)
    if run.phases[phase.id].outcome is not None:
        return True
    if gate is None:
        return False
    guarded = [steps[gate.step]] if gate.step in steps else list(steps.values())
    return all(step.outcome is None for step in guarded)


def in_doubt(step: StepState, *, over: bool) -> bool:
    """Return whether it is unknown if a step's effect happened; a step that still runs is not in doubt."""
    return step.outcome == "in_doubt" or (over and step.in_doubt)


def _carried_out(run: Run, phase: Pipeline, plan: RenderedPlan, *, now: datetime) -> list[JsonObject]:
    state = run.phases[phase.id]
    gates = [gate for gate in run.approvals.values() if gate.phase == phase.id]
    decisions = [*_waived(run, phase), *(_decision(run, gate) for gate in gates), *_steered(run, phase)]
    over = state.outcome is not None or run.outcome is not None
    waiting = next((gate for gate in gates if gate.decision is None), None)
    title = _title(run, phase, plan, waiting=waiting is not None)
    if state.outcome == "ok" and not any(step.undone for step in state.steps.values()):
        return [section(title, *decisions, _achieved(state)), *rollout_blocks(run, phase, plan)]
    blocks = [
        section(title, *decisions),
        section(*_step_lines(state, over=over, waits=waiting.step if waiting else "")),
    ]
    if waiting is not None:
        blocks += request_blocks(run, waiting, now=now) if waiting.audience is None else [_asked(waiting)]
    blocks += rollout_blocks(run, phase, plan)
    if _stopped(state):
        blocks.append(section(f"*Why it stopped:* {prose(state.why, 800)}"))
    return blocks


def _achieved(state: PhaseState) -> str:
    """Return what the last change did, and what the checks measured after it."""
    done = [step for step in state.steps.values() if not is_check(step) and step.intent_key]
    checked = [
        step
        for step in state.steps.values()
        if step.id.startswith("verify:") and isinstance(result_of(step), Measurement)
    ]
    seen = [(step, result) for step in [*done[-1:], *checked[:1]] if (result := _result(step))]
    return " ".join(
        sentence(result if _LETTERS.search(result) else f"{prose(_named(step), 160)}: {result}")
        for step, result in seen
    )


def _waived(run: Run, phase: Pipeline) -> list[str]:
    """Return a prominent line for each waived approval: why it was waived, and the emergency."""
    stated = run.params.get("emergency")
    emergency = f" Emergency: {sentence(prose(stated, 300))}" if isinstance(stated, str) else ""
    return [
        f"{ALARM} *No approval was requested:* {sentence(prose(waiver.why, 300))}{emergency}"
        for waiver in run.waived
        if waiver.phase == phase.id
    ]


def _steered(run: Run, phase: Pipeline) -> list[str]:
    """Return who steered a rollout that is over; while it is under way, its card shows that."""
    is_judged = any(step.verdict is not None for step in run.phases[phase.id].steps.values())
    over = run.phases[phase.id].outcome is not None
    return [steered_line(run.steering.said)] if is_judged and over else []


def _decision(run: Run, gate: Approval) -> str:
    line = decided_line(gate)
    step = run.phases[gate.phase].steps.get(gate.step)
    return f"{prose(step.title or step.id, 120)}: {line}" if line and step is not None else line


def _asked(gate: Approval) -> JsonObject:
    return context(f"{WAITING} Waiting for {deciders(gate)}: see the request in this thread.")


def _title(run: Run, phase: Pipeline, plan: RenderedPlan, *, waiting: bool) -> str:
    mark, words = _state(run, phase, waiting=waiting)
    summary = plan.summary if run.phases[phase.id].outcome is None else title_of(phase)
    return f"{mark} {bold(f'{summary}: {words}' if words else summary)}"


def _state(run: Run, phase: Pipeline, *, waiting: bool) -> tuple[str, str]:
    state = run.phases[phase.id]
    steps = state.steps.values()
    match state.outcome:
        case None if run.outcome is not None:
            return ENDED, "stopped"
        case None if waiting:
            return WAITING, "the next step needs an approval"
        case None:
            return BUSY, "done, verifying" if is_verifying(run, phase) else ""
        case "ok":
            return DONE, "done and verified" if any(map(is_check, steps)) else "done"
        case _ if any(in_doubt(step, over=True) for step in steps):
            return ALARM, "in doubt, check the target before you do anything else"
        case _ if any(step.undone == "ok" for step in steps):
            return FAILED, f"{'aborted' if run.steering.aborted_by else 'stopped'}, rolled back"
        case _ if is_verifying(run, phase):
            return FAILED, "done, but recovery is not verified"
        case _:
            return FAILED, state.outcome


def _stopped(state: PhaseState) -> bool:
    """Return whether it stopped for a reason that no step's line shows yet."""
    shown = any(step.error and step.error in state.why for step in state.steps.values())
    return state.outcome not in {None, "ok"} and bool(state.why) and not shown


def _step_lines(state: PhaseState, *, over: bool, waits: str) -> list[str]:
    lines: list[str] = []
    ahead = False
    for step in state.steps.values():
        if _is_left_out(step, over=over):
            ahead = ahead or step.outcome != "ok"
            continue
        if step.id == waits:
            lines.append(f"{PAUSED} {prose(_named(step), 160)}")
            ahead = True
            continue
        lines.append(_step_line(state, step, over=over, ahead=ahead))
        ahead = ahead or step.outcome != "ok"
    return lines


def _is_left_out(step: StepState, *, over: bool) -> bool:
    """Return whether only *Details* shows a step: one that was never begun, or a reading that went well."""
    if over and step.outcome is None:
        return not step.in_doubt
    return step.outcome == "ok" and not step.intent_key and not step.undone and step.verdict is None


def _step_line(state: PhaseState, step: StepState, *, over: bool, ahead: bool) -> str:
    name = prose(_named(step), 160)
    if in_doubt(step, over=over):
        return _doubtful(step, name) + _undone(step)
    if step.verdict is not None and step.outcome in (None, "ok"):
        return verdict_line(step, name)
    if step.outcome is None:
        return f"{SKIPPED if over else OPEN} {name}" if over or ahead else _under_way(state, step, name)
    mark, words = STEP_OUTCOMES[step.outcome]
    if step.outcome == "ok":
        result = _result(step)
        return f"{mark} {name}{f': {result}' if result else ''}{_undone(step)}"
    mark = FAILED if mark == WARNING else mark
    why = _why(step) or words
    return f"{mark} {bold(_named(step), 160)}: {sentence(why)}{_hint(step)}{_undone(step)}"


def _named(step: StepState) -> str:
    return step.title or human(step.id)


def _under_way(state: PhaseState, step: StepState, name: str) -> str:
    if not is_check(step) or not state.samples:
        return f"{BUSY} {name} …"
    last = state.samples[-1].text.removeprefix(f"{step.title}: ")
    return f"{BUSY} {name}: {prose(last)} {bar(state.samples, most=12)}"


def _doubtful(step: StepState, name: str) -> str:
    why = prose(step.error, 500) or "the bot stopped before it received the answer"
    return (
        f"{ALARM} *In doubt:* {name}. It may or may not have happened: {sentence(why)}"
        f"\n*Check the target before you do anything else.*{_hint(step)}"
    )


def _why(step: StepState) -> str:
    """Return why a step failed, without the figures that the root shows."""
    if step.verdict is not None and step.verdict.decision == "stop":
        deciding = listed([prose(name, 60) for name in step.verdict.decided_by])
        return f"stopped because of {deciding or 'the score'}"
    return prose(step.error.partition("; last seen:")[0], 500)


def _hint(step: StepState) -> str:
    return f"\n{prose(step.hint)}" if step.hint else ""


def _undone(step: StepState) -> str:
    if step.undone is None:
        return ""
    if step.undone == "ok" and step.left:
        return f"\n{UNDONE} {prose(step.left, 300)}"
    if step.undone == "ok":
        return f"\n{UNDONE} rolled back"
    return f"\n{ALARM} *could not be rolled back* ({STEP_OUTCOMES[step.undone][1]}): check it by hand"


def _result(step: StepState) -> str:
    result = result_of(step)
    if isinstance(result, ActionResult):
        return without_ids(prose(result.summary)) + ("" if result.changed else " (already in this state)")
    text = getattr(result, "text", "") or getattr(result, "summary", "")
    return prose(text)
