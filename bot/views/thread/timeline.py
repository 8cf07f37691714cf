"""A run as lines for a terminal: one for each fact, with how long after the start it was."""

from __future__ import annotations

from typing import Literal, assert_never

from bot.domain.formatting import duration
from bot.domain.model import Model
from bot.domain.people import Person
from bot.domain.rollouts.verdict import Decision
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalWaived,
    CanaryJudged,
    CancelRequested,
    EffectIntended,
    Event,
    InputsPinned,
    PhaseFinished,
    PhaseStarted,
    PlanRendered,
    PreliminaryDiagnosisChanged,
    RolloutSteered,
    RunFinished,
    RunStarted,
    StepFinished,
    StepUndone,
    TurnAwaited,
    TurnTaken,
    VoteCast,
    WatchSampled,
)

Tone = Literal["plain", "good", "bad", "doubt", "quiet"]


class TimelineLine(Model):
    """One line; ``after_s`` seconds after the run began."""

    after_s: float
    tone: Tone
    text: str


def timeline(events: tuple[Event, ...]) -> tuple[TimelineLine, ...]:
    """Tell a journal, line by line."""
    began = events[0].at
    lines: list[TimelineLine] = []
    for event in events:
        tone, text = _told(event)
        lines.append(TimelineLine(after_s=(event.at - began).total_seconds(), tone=tone, text=text))
    return tuple(lines)


def _told(event: Event) -> tuple[Tone, str]:  # noqa: C901, PLR0911, PLR0912  # a closed set
    match event:
        case RunStarted():
            told = " ".join(f"{name}={value}" for name, value in event.params.items())
            asked = f"{_who(event.requested_by)} ({event.origin.kind})"
            return "plain", f"{event.runbook.name} {told}, asked for by {asked}"
        case PhaseStarted():
            return "plain", f"{event.phase} begins"
        case TurnAwaited():
            return "quiet", f"{event.phase} waits for its turn, behind {', '.join(event.behind)}"
        case TurnTaken():
            return "quiet", f"{event.phase} has its turn"
        case StepFinished():
            why = f": {event.error}" if event.error else ""
            return _tone(
                event.outcome
            ), f"  {event.step} {_word(event.outcome)} in {duration(event.took_s)}{why}"
        case PreliminaryDiagnosisChanged():
            leaning = event.leaning
            suspect = " ".join(filter(None, leaning.suspect))
            so_sure = f"{suspect} {leaning.confidence:.2f}" if suspect else "nothing"
            return "quiet", f"  so far {so_sure}, {event.move} by {event.step}"
        case InputsPinned():
            known = f"{len(event.inputs.services)} services known"
            return "quiet", f"  {event.phase} is asked as of {event.inputs.now:%H:%M:%S} UTC, {known}"
        case PlanRendered():
            return "plain", f"  plan {event.plan.digest[:12]}: {event.plan.summary or event.plan.why_empty}"
        case ApprovalRequested():
            groups = ", ".join(event.approval.groups)
            return "doubt", f"  approval asked of {groups}, until {event.approval.expires_at:%H:%M:%S} UTC"
        case ApprovalReminded():
            return "quiet", "  reminded"
        case VoteCast():
            return _tone(event.verdict), f"  {_who(event.by)}: {event.verdict}{_decision(event.decision)}"
        case ApprovalEnded():
            return "bad", f"  approval {event.decision}"
        case EffectIntended():
            return "quiet", f"  {event.step} is about to act, at epoch {event.epoch}"
        case StepUndone():
            why = f": {event.error}" if event.error else ""
            return _tone(event.outcome), f"  {event.step} undone: {_word(event.outcome)}{why}"
        case WatchSampled():
            good = {True: "good", False: "bad", None: "not measured"}[event.ok]
            return _tone("ok" if event.ok else "failed"), f"  looked: {good} {event.text}".rstrip()
        case PhaseFinished():
            why = f": {event.why}" if event.why else ""
            return _tone(event.outcome), f"{event.phase} {event.outcome}{why}"
        case CancelRequested():
            why = f": {event.why}" if event.why else ""
            return "bad", f"{_who(event.by)} asked for its end{why}"
        case ApprovalWaived():
            return "bad", f"{event.step or event.phase}: NOBODY WAS ASKED ({event.why})"
        case CanaryJudged():
            return _VERDICTS[event.verdict.decision], f"  {event.step}: {event.verdict.text}"
        case RolloutSteered():
            return "doubt", f"{_who(event.by)} said: {event.word}"
        case RunFinished():
            return _tone(event.outcome), f"ended, {_word(event.outcome)}. {event.summary}"
        case _:
            assert_never(event)


_VERDICTS: dict[Decision, Tone] = {"proceed": "good", "stop": "bad", "ask": "quiet"}
_GOOD = frozenset({"ok", "done", "recovered", "no_fault_found", "approve"})
_DOUBTFUL = frozenset({"partial", "unclear", "no_remedy", "in_doubt", "skipped", "not_configured"})


def _tone(outcome: str) -> Tone:
    if outcome in _GOOD:
        return "good"
    return "doubt" if outcome in _DOUBTFUL else "bad"


def _word(outcome: str) -> str:
    return outcome.replace("_", " ")


def _decision(decision: str | None) -> str:
    return f", which makes it {decision}" if decision else ""


def _who(person: Person) -> str:
    return person.name or person.id
