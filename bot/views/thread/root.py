"""The root message: the state, the cause, the next step, and the progress."""

from __future__ import annotations

from typing import Literal, assert_never

from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.formatting import about, listed, several
from bot.domain.model import JsonObject
from bot.domain.runs.ending import ending_of
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Background, Explore, FanOut, Phase, Pipeline, Plan, Reduce
from bot.views import ids
from bot.views.blocks import actions, button, confirmation, context, header, section
from bot.views.limits import PLAN_TASKS, code, plain, prose, unescape
from bot.views.phrases import (
    BUSY,
    DONE,
    FAILED,
    OPEN,
    PAUSED,
    SKIPPED,
    WARNING,
    after_echo,
    human,
    local,
    sentence,
    who,
)
from bot.views.thread.approval import deciders
from bot.views.thread.diagnosis import cause_in_root, unread_line
from bot.views.thread.emergency import emergency_lines
from bot.views.thread.ending import ending_lines
from bot.views.thread.evidence import strongest
from bot.views.thread.leaning import leaning_lines
from bot.views.thread.review import review_button
from bot.views.thread.rollout import rollout_lines, steering_buttons
from bot.views.thread.second_look import second_look_line
from bot.views.thread.state import current, headline, is_verifying, mark, note, subject_of, title_of
from bot.views.thread.watch import ends_at

Style = Literal["classic", "plan"]

_STATUS = {
    DONE: "complete",
    WARNING: "complete",
    SKIPPED: "complete",
    BUSY: "in_progress",
    PAUSED: "in_progress",
    OPEN: "pending",
    FAILED: "error",
}
_MOST_BEHIND = 3
_AGAIN = frozenset({"no fault found", "cause unclear", "rejected", "expired", "withdrawn", "needs a person"})


def root_blocks(run: Run, *, style: Style) -> list[JsonObject]:
    """Return the root message: what is wrong or wanted, what is being done, who must act, how it ended."""
    colour, words = headline(run)
    blocks = [header(f"{colour} {subject_of(run)}: {words}")]
    rolling = rollout_lines(run)
    told = [] if _is_below_alert(run) else state_lines(run)
    if lines := [*emergency_lines(run), *told, _unread(run)]:
        blocks.append(section(*lines))
    if run.outcome is None and run.waiting_for is None and not rolling:
        blocks.append(_plan_block(run, subject_of(run)) if style == "plan" else section(*_checklist(run)))
    blocks.append(context(*_small_print(run)))
    review = None if _is_below_alert(run) else review_button(run)
    first = [] if review is None else [review]
    return [*blocks, actions(*first, *steering_buttons(run), *_buttons(run))]


def _is_below_alert(run: Run) -> bool:
    """Return whether it is a reply to the message of its alert, which shows its state."""
    return bool(run.origin.alert and run.origin.thread)


def state_lines(run: Run) -> list[str]:
    """Return what a run is about in a few lines: the cause, what is done or asked, or how it ended."""
    if run.outcome is not None:
        return ending_lines(run)
    return [line for line in (_cause(run), *(rollout_lines(run) or [_now(run)])) if line]


def _cause(run: Run) -> str:
    diagnosis = run.diagnosis
    if diagnosis is not None:
        return cause_in_root(run, diagnosis.top) if diagnosis.top is not None else _without_cause(diagnosis)
    phase = current(run)
    if not isinstance(phase, FanOut | Explore):
        return ""
    if leaning := leaning_lines(run.phases[phase.id]):
        return leaning[0]
    finding = strongest(run, phase)
    return "" if finding is None else f"*Strongest evidence so far:* {prose(finding.summary)}"


def _without_cause(diagnosis: Diagnosis) -> str:
    nothing = diagnosis.verdict == "no_fault_found"
    verdict = "No fault found" if nothing else "Cause unclear"
    return f"*{verdict}:* {prose(after_echo(diagnosis.summary, verdict), 600)}"


def _unread(run: Run) -> str:
    return "" if run.diagnosis is None or run.diagnosis.verdict == "unclear" else unread_line(run.diagnosis)


def _now(run: Run) -> str:
    """Return what happens now and who it is waiting for."""
    if run.cancelled_by is not None:
        return f"*Now:* stopping, because {who(run.cancelled_by)} cancelled it."
    phase = current(run)
    return "" if phase is None else _doing(run, phase)


def _doing(run: Run, phase: Phase) -> str:
    if behind := run.phases[phase.id].behind:
        first = listed([code(run_id, 80) for run_id in behind[:_MOST_BEHIND]])
        more = len(behind) - _MOST_BEHIND
        rest = f" and {several(more, 'more run')}" if more > 0 else ""
        return f"*Now:* queued for {prose(run.service, 63)} behind {first}{rest}."
    match phase:
        case Explore() | FanOut():
            return _reading(run, phase)
        case Reduce():
            return f"*Now:* {second_look_line(run.phases[phase.id]) or 'weighing the evidence.'}"
        case Plan():
            return "*Now:* working out what to change."
        case Pipeline():
            return _acting(run, phase)
        case Background():
            ends = ends_at(run, phase)
            return f"*Now:* watching until {local(ends)}." if ends else "*Now:* watching."
        case _:
            assert_never(phase)


def _reading(run: Run, phase: Explore | FanOut) -> str:
    waiting = [
        prose(step.title or human(step.id), 60)
        for step in run.phases[phase.id].steps.values()
        if step.outcome is None
    ]
    return f"*Still reading:* {listed(waiting[:8])}." if waiting else "*Now:* starting."


def _acting(run: Run, phase: Pipeline) -> str:
    plan, gate = run.plan_for(phase.id), run.gate(phase.id)
    summary = prose(plan.summary, 200) if plan is not None else prose(title_of(phase), 80)
    if gate is not None and gate.decision is None and gate.step:
        summary = prose(run.phases[phase.id].steps[gate.step].title or gate.step, 200)
    if gate is not None and gate.decision is None:
        by = f"by {local(gate.expires_at)}"
        return f"*Waiting for* {deciders(gate)} to review in this thread {by}: {sentence(summary)}"
    if is_verifying(run, phase):
        return f"*Now:* verifying that it worked: {sentence(summary)}"
    return f"*Now:* {sentence(summary)}"


def _shown_phases(run: Run) -> list[Phase]:
    """Return the phases of the progress, without those that are not needed."""
    return [phase for phase in run.runbook.phases if mark(run, phase) != SKIPPED]


def _checklist(run: Run) -> list[str]:
    lines: list[str] = []
    for phase in _shown_phases(run):
        words = note(run, phase)
        lines.append(f"{mark(run, phase)} {prose(title_of(phase), 80)}" + (f" · {words}" if words else ""))
    return lines


def _plan_block(run: Run, about: str) -> JsonObject:
    tasks: list[JsonObject] = []
    for phase in _shown_phases(run)[:PLAN_TASKS]:
        task: JsonObject = {
            "task_id": phase.id,
            "title": plain(title_of(phase), 80),
            "status": _status(run, phase),
        }
        if words := note(run, phase):
            task["details"] = _rich(unescape(words))
        tasks.append(task)
    return {"type": "plan", "title": plain(about, 100), "tasks": list(tasks)}


def _status(run: Run, phase: Phase) -> str:
    """Return the status of a phase in Slack's terms, which have none for a skipped phase."""
    never_begun = run.phases[phase.id].outcome is None and run.phases[phase.id].started_at is None
    return "pending" if never_begun else _STATUS[mark(run, phase)]


def _rich(text: str) -> JsonObject:
    words: JsonObject = {"type": "text", "text": text}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [words]}]}


def _small_print(run: Run) -> list[str]:
    parts = [f"requested by {who(run.requested_by)}", f"started {local(run.started_at)}"]
    if run.finished_at is not None:
        parts.append(f"took {about((run.finished_at - run.started_at).total_seconds())}")
    return parts


def _buttons(run: Run) -> list[JsonObject]:
    details = button("Details", action_id=ids.DETAILS, value=run.id)
    if run.outcome is None and run.cancelled_by is None:
        sure = confirmation(
            "Cancel this run?",
            "Changes already made stay. Nothing more will be changed.",
            yes="Cancel the run",
            no="Keep going",
            style="danger",
        )
        return [button("Cancel", action_id=ids.CANCEL_RUN, value=run.id, confirm=sure), details]
    ending = ending_of(run)
    if ending == "plan only":
        sure = confirmation(
            "Deploy it?", "This starts the deployment. Its approval is still needed.", yes="Deploy"
        )
        deploy = button("Deploy", action_id=ids.DEPLOY_PLAN, value=run.id, style="primary", confirm=sure)
        return [deploy, details]
    if ending in _AGAIN and any(
        isinstance(p, Reduce) and p.reducer == "rank_causes" for p in run.runbook.phases
    ):
        return [button("Triage again", action_id=ids.TRIAGE_AGAIN, value=run.id), details]
    return [details]
