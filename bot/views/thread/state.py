"""The state of a run and of its phases, as marks and words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import assert_never

from pydantic import TypeAdapter, ValidationError

from bot.domain.deployments.deployment import ROLLBACK
from bot.domain.diagnoses.finding import Facts, Findings, Measurement, Reading
from bot.domain.formatting import duration, listed, percent, several
from bot.domain.rollouts.rollout import judged_now, rollout_under_way, share_of
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.ending import changes_of, ending_of, in_doubt
from bot.domain.runs.event import PhaseOutcome
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Background, Explore, FanOut, Phase, Pipeline, Plan, Reduce
from bot.views.limits import prose
from bot.views.phrases import (
    BUSY,
    DONE,
    ENDINGS,
    FAILED,
    GOOD,
    OPEN,
    PAUSED,
    RUNNING,
    SKIPPED,
    WAITING,
    WARNING,
    human,
)

NO_SOURCE = "no source is configured"
_RESULT: TypeAdapter[Reading | ActionResult] = TypeAdapter(Reading | ActionResult)
_MARKS: dict[PhaseOutcome, str] = {
    "ok": DONE,
    "partial": WARNING,
    "failed": FAILED,
    "skipped": SKIPPED,
    "rejected": FAILED,
    "expired": FAILED,
    "withdrawn": SKIPPED,
    "breached": FAILED,
}
_CHECKS = ("verify:", "judge:")


def headline(run: Run) -> tuple[str, str]:
    """Return the state of a run as a colour and a few words."""
    if run.outcome is not None:
        return _ended(run)
    if run.cancelled_by is not None:
        return RUNNING, "stopping"
    if run.waiting_for is not None:
        return WAITING, "waiting for approval"
    if (rolling := rollout_under_way(run)) is not None and (judged := judged_now(run, rolling)) is not None:
        share = share_of(judged)
        if share is not None:
            return RUNNING, f"{percent(share)} of the traffic"
    phase = current(run)
    return (RUNNING, "finishing") if phase is None else _doing(run, phase)


_NEEDS_A_PERSON = {
    "no_remedy": "needs a person, no automated fix",
    "not_recovered": "needs a person, the fix did not help",
    "breached": "needs a person, the problem came back",
}


def _ended(run: Run) -> tuple[str, str]:
    ending = ending_of(run) or "done"
    colour, words = ENDINGS[ending]
    if ending == "needs a person":
        words = _NEEDS_A_PERSON.get(run.outcome or "", words)
        if run.outcome == "breached" and run.diagnosis is None:
            words = "needs a person, failing since"
    if ending == "deployed" and run.runbook.name == ROLLBACK:
        words = "rolled back"
    return colour, words


def subject_of(run: Run) -> str:
    """Return what a run is about: its runbook, service and version."""
    version = run.params.get("version") or run.params.get("to")
    parts = [human(run.runbook.name), run.service, version if isinstance(version, str) else ""]
    return " ".join(part for part in parts if part)


def _doing(run: Run, phase: Phase) -> tuple[str, str]:
    match phase:
        case Explore():
            return RUNNING, "gathering context"
        case FanOut():
            return RUNNING, "gathering evidence"
        case Reduce():
            waits = run.phases[phase.id].again_at is not None
            return RUNNING, "unclear, reading again soon" if waits else "weighing the evidence"
        case Plan():
            return RUNNING, "planning"
        case Pipeline():
            return RUNNING, "verifying" if is_verifying(run, phase) else "making changes"
        case Background():
            return (GOOD, "recovered, watching") if recovered_at(run) else (RUNNING, "watching")
        case _:
            assert_never(phase)


def current(run: Run) -> Phase | None:
    """Return the current phase: the first without an outcome."""
    return next((phase for phase in run.runbook.phases if run.phases[phase.id].outcome is None), None)


def title_of(phase: Phase) -> str:
    """Return the title of a phase."""
    return phase.title or human(phase.id)


def is_verifying(run: Run, phase: Pipeline) -> bool:
    """Return whether every step is done and only checks are left."""
    steps = [step for step in run.phases[phase.id].steps.values() if not is_check(step)]
    return bool(steps) and all(step.outcome == "ok" for step in steps)


def is_check(step: StepState) -> bool:
    """Return whether a step of a pipeline is a check and not a change."""
    return step.id.startswith(_CHECKS)


def recovered_at(run: Run) -> datetime | None:
    """Return when the last pipeline of a diagnosed run was done and verified."""
    if run.diagnosis is None:
        return None
    return max(
        (
            state.finished_at
            for phase in run.runbook.phases
            if isinstance(phase, Pipeline)
            and (state := run.phases[phase.id]).outcome == "ok"
            and state.finished_at is not None
        ),
        default=None,
    )


def trouble_began(run: Run) -> tuple[datetime, str]:
    """Return the start for the time to recovery: that of the alert, if any (its id ends with it)."""
    _, _, seconds = run.origin.alert.rpartition("-")
    if run.origin.alert and seconds.isdecimal() and len(seconds) <= 10:  # noqa: PLR2004  # digits until the year 2286
        return datetime.fromtimestamp(int(seconds), tz=UTC), "the alert"
    return run.started_at, "the request"


def effects_left(run: Run) -> str:
    """Return what is left of a run's changes: none made, all rolled back, some in place, or in doubt."""
    steps = changes_of(run)
    if in_doubt(run):
        return "It is in doubt whether anything was changed; the thread shows where to check."
    done = [step for step in steps if step.outcome == "ok"]
    if not done:
        return "Nothing was changed."
    if all(step.undone == "ok" for step in done):
        return "All changes were rolled back."
    return f"Changes still in place: {listed([prose(step.title or step.id, 120) for step in done])}."


def result_of(step: StepState) -> Findings | Measurement | Facts | ActionResult | None:
    """Return a step's result; none if there is none or another version of the bot wrote it."""
    try:
        return None if step.result is None else _RESULT.validate_python(step.result)
    except ValidationError:
        return None


def mark(run: Run, phase: Phase) -> str:
    """Return the mark of a phase in the checklist."""
    state = run.phases[phase.id]
    if state.outcome == "ok" and state.plan is not None and not state.plan.steps:
        return SKIPPED
    if state.outcome is not None:
        return _MARKS[state.outcome]
    if run.outcome is not None:
        return FAILED if state.started_at is not None else SKIPPED
    gate = run.gate(phase.id)
    if gate is not None and gate.decision is None:
        return PAUSED
    return OPEN if state.started_at is None else BUSY


def note(run: Run, phase: Phase) -> str:
    """Return the state of a phase in a few words of mrkdwn; empty if it has not started in an active run."""
    state = run.phases[phase.id]
    if state.outcome == "skipped":
        return "not needed" if state.why.startswith("not needed") else prose(state.why, 120)
    if state.started_at is None and state.outcome is None:
        return "" if run.outcome is None else "not started"
    if state.outcome == "failed" and not state.steps:
        return prose(state.why, 200)
    match phase:
        case Explore() | FanOut():
            return _note_of_reading(state)
        case Reduce():
            return _note_of_reduce(state)
        case Plan():
            return "" if state.plan is None else prose(state.plan.why_empty or state.plan.summary, 160)
        case Pipeline():
            return _note_of_pipeline(run, phase, state)
        case Background():
            checks = several(state.samples_total, "check")
            return f"{checks}, {prose(state.why, 120)}" if state.outcome == "breached" else checks
        case _:
            assert_never(phase)


def _note_of_reading(state: PhaseState) -> str:
    steps = [step for step in state.steps.values() if step.outcome != "not_configured"]
    read = [step for step in steps if step.outcome == "ok"]
    missing = [prose(name_of(step), 60) for step in steps if step.outcome not in {None, "ok"}]
    if len(steps) == 1 and read:
        facts = result_of(read[0])
        return prose(facts.summary, 160) if isinstance(facts, Facts) else took(state)
    if not steps:
        return NO_SOURCE if state.outcome is not None else ""
    part = f"{in_part(read)} in part" if in_part(read) else ""
    parts = [f"{len(read)} of {several(len(steps), 'source')}", part, took(state)]
    if missing:
        parts.append(f"not read: {listed(missing[:5])}")
    return ", ".join(part for part in parts if part)


def in_part(steps: Iterable[StepState]) -> int:
    """Return how many answers lack a part: a service that was not read, or data that is missing."""
    seen = (result_of(step) for step in steps)
    return sum(isinstance(result, Findings) and bool(result.gaps or result.partial) for result in seen)


def _note_of_reduce(state: PhaseState) -> str:
    output = state.output or {}
    words = {
        "cause_found": "cause found",
        "no_fault_found": "no fault found",
        "unclear": "unclear",
        "pass": "passed",
        "fail": "failed",
        "unknown": "undecided",
    }
    return words.get(str(output.get("verdict")), "")


def _note_of_pipeline(run: Run, phase: Pipeline, state: PhaseState) -> str:
    gate = run.gate(phase.id)
    match state.outcome:
        case None if gate is not None and gate.decision is None:
            return "waiting for approval"
        case None if is_verifying(run, phase):
            return "verifying"
        case None | "partial":
            return _progress(state)
        case "ok":
            return f"done in {took(state, since=_approved_at(run, phase))}"
        case "rejected" | "expired" | "withdrawn" | "failed" | "breached" | "skipped":
            return prose(state.why, 200)
        case _:
            assert_never(state.outcome)


def _approved_at(run: Run, phase: Phase) -> datetime | None:
    gate = run.gate(phase.id, step="")
    return None if gate is None else gate.decided_at


def _progress(state: PhaseState) -> str:
    done = sum(step.outcome == "ok" for step in state.steps.values())
    return f"{done} of {several(len(state.steps), 'step')}"


def took(state: PhaseState, *, since: datetime | None = None) -> str:
    """Return how long a phase took; empty until it has ended."""
    began = since or state.started_at
    if began is None or state.finished_at is None:
        return ""
    return duration((state.finished_at - began).total_seconds())


def calm_word(state: PhaseState) -> str:
    """Return how a watch that breached nothing went: only ``Up`` where a check had nothing to judge by."""
    seen = state.samples[-1].seen.values() if state.samples else ()
    return "All well" if all(one.get("known", True) for one in seen) else "Up"


def name_of(step: StepState) -> str:
    """Return the name of a step, with its specialist if the title does not name it."""
    title = step.title or human(step.id)
    if not step.specialist or step.specialist.lower() in title.lower():
        return title
    return f"{title} ({step.specialist})"
