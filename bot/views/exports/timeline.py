"""A run as lines for a terminal: one for each event, with the seconds since the start."""

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
    ApproversFound,
    CanaryJudged,
    CancelRequested,
    EffectIntended,
    Event,
    InputsPinned,
    LookAgainPlanned,
    LookedAgain,
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
    """Return a journal as lines."""
    began = events[0].at
    lines: list[TimelineLine] = []
    for event in events:
        tone, text = _line(event)
        lines.append(TimelineLine(after_s=(event.at - began).total_seconds(), tone=tone, text=text))
    return tuple(lines)


def _line(event: Event) -> tuple[Tone, str]:  # noqa: C901, PLR0911, PLR0912  # a closed set
    match event:
        case RunStarted():
            params = " ".join(f"{name}={value}" for name, value in event.params.items())
            asked = f"{_who(event.requested_by)} ({event.origin.kind})"
            return "plain", f"{event.runbook.name} {params}, requested by {asked}"
        case PhaseStarted():
            return "plain", f"{event.phase} started"
        case TurnAwaited():
            return "quiet", f"{event.phase} is queued behind {', '.join(event.behind)}"
        case TurnTaken():
            return "quiet", f"{event.phase} is first in the queue"
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
            return "quiet", f"  {event.phase} uses data as of {event.inputs.now:%H:%M:%S} UTC, {known}"
        case LookAgainPlanned():
            again_at = f"{event.until:%H:%M:%S} UTC"
            return "doubt", f"  {event.phase} unclear, reads again at {again_at}: {event.because}"
        case LookedAgain():
            return "plain", f"{event.phase} reads {', '.join(event.over)} again"
        case PlanRendered():
            return "plain", f"  plan {event.plan.digest[:12]}: {event.plan.summary or event.plan.why_empty}"
        case ApprovalRequested():
            groups, until = ", ".join(event.approval.groups), event.approval.expires_at
            return (
                "doubt",
                f"  approval requested from {groups} until {until:%H:%M:%S} UTC",
            )
        case ApproversFound():
            named = [*event.audience.groups.values(), *map(_who, event.audience.people)]
            direct = len(event.audience.direct)
            return "quiet", f"  mentioned {', '.join(named) or 'no one'}, {direct} asked in direct messages"
        case ApprovalReminded():
            return "quiet", "  reminder sent"
        case VoteCast():
            why = f": {event.why}" if event.why else ""
            said = f"  {_who(event.by)}: {event.verdict}{_decision(event.decision)}{why}"
            return _tone(event.verdict), said
        case ApprovalEnded():
            return "bad", f"  approval {event.decision}"
        case EffectIntended():
            return "quiet", f"  {event.step} is about to run, epoch {event.epoch}"
        case StepUndone():
            why = f": {event.error}" if event.error else ""
            return _tone(event.outcome), f"  {event.step} undone: {_word(event.outcome)}{why}"
        case WatchSampled():
            good = {True: "good", False: "bad", None: "not measured"}[event.ok]
            return _tone("ok" if event.ok else "failed"), f"  checked: {good} {event.text}".rstrip()
        case PhaseFinished():
            why = f": {event.why}" if event.why else ""
            return _tone(event.outcome), f"{event.phase} {event.outcome}{why}"
        case CancelRequested():
            why = f": {event.why}" if event.why else ""
            return "bad", f"{_who(event.by)} cancelled the run{why}"
        case ApprovalWaived():
            return "bad", f"{event.step or event.phase}: NO APPROVAL REQUESTED ({event.why})"
        case CanaryJudged():
            return _VERDICTS[event.verdict.decision], f"  {event.step}: {event.verdict.text}"
        case RolloutSteered():
            return "doubt", f"{_who(event.by)}: {event.word}"
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
    return f" ({decision})" if decision else ""


def _who(person: Person) -> str:
    return person.name or person.id
