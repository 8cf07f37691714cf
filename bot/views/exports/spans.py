"""The trace of a run: its journal folded into spans; pure, so that every worker exports the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from bot.domain.model import Instant, Model
from bot.domain.runs.callees import Callees
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalRequested,
    EffectIntended,
    Event,
    LookedAgain,
    PhaseFinished,
    PhaseStarted,
    PlanRendered,
    RunFinished,
    RunStarted,
    StepFinished,
    StepUndone,
    VoteCast,
)

_BAD = frozenset({"failed", "crashed", "in_doubt", "timed_out", "unavailable", "garbage", "not_recovered"})


class TraceSpan(Model):
    """One stretch of time; ids are derived, so that exporting it twice gives the same span."""

    id: int
    parent: int | None = None
    name: str
    began: Instant
    ended: Instant
    bad: bool = False
    attributes: dict[str, str | int] = Field(default_factory=dict)


def trace_id(run_id: str) -> int:
    """Return the id of a run's trace, 128 bits, derived so that every worker knows it."""
    return _digest(f"trace:{run_id}", 16)


def span_id(run_id: str, *path: object) -> int:
    """Return the derived id of a span, 64 bits; without a path, the id of the run's span."""
    return _digest(":".join(("span", run_id, *map(str, path))), 8)


def _digest(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big") or 1


def spans_of(run_id: str, events: Sequence[Event]) -> tuple[TraceSpan, ...]:
    """Return every finished span of a journal: steps, approvals, phases, and the run.

    Raises:
        ValueError: the first event is not the run's start.
    """
    first = events[0] if events else None
    if not isinstance(first, RunStarted):
        raise ValueError(f"the journal of {run_id} does not begin with its start")  # noqa: TRY004  # bad data, not a bad type
    return tuple(_Tracer(run_id, first).spans(events[1:]))


class _Tracer:
    """Collects the starts of spans until they end."""

    def __init__(self, run_id: str, started: RunStarted) -> None:
        self._run_id = run_id
        self._started = started
        self._callees = Callees(started.runbook)
        self._phases: dict[str, datetime] = {}
        self._gates: dict[str, ApprovalRequested] = {}
        self._intents: dict[tuple[str, str], EffectIntended] = {}
        self._looks: dict[str, int] = {}
        """The phases that ran more than once, with how often."""

    def spans(self, events: Sequence[Event]) -> Iterator[TraceSpan]:  # noqa: C901  # one branch a kind of fact
        for event in events:
            match event:
                case PhaseStarted():
                    self._phases.setdefault(event.phase, event.at)
                case LookedAgain():
                    for phase in event.over:
                        self._phases[phase] = event.at
                        self._looks[phase] = self._looks.get(phase, 1) + 1
                case PlanRendered():
                    self._callees.learn(event)
                case ApprovalRequested():
                    self._gates[event.approval.id] = event
                case EffectIntended():
                    self._intents[event.phase, event.step] = event
                case StepFinished():
                    yield self._step(event)
                case StepUndone():
                    yield self._undo(event)
                case VoteCast() | ApprovalEnded():
                    yield from self._gate(event)
                case PhaseFinished():
                    yield self._phase(event)
                case RunFinished():
                    yield self._run(event)
                case _:
                    pass

    def _path(self, phase: str) -> tuple[str, ...]:
        """Return what names a phase's span: a second look at its sources is a span of its own."""
        looks = self._looks.get(phase, 1)
        return (phase,) if looks == 1 else (phase, f"look-{looks}")

    def _step(self, event: StepFinished) -> TraceSpan:
        attributes: dict[str, str | int] = {
            "pilothouse.outcome": event.outcome,
            "pilothouse.plugin": self._callees.plugin(event.phase, event.step),
        }
        intent = self._intents.get((event.phase, event.step))
        if intent is not None:
            attributes |= {"pilothouse.effect.key": intent.key, "pilothouse.epoch": intent.epoch}
        return TraceSpan(
            id=span_id(self._run_id, *self._path(event.phase), event.step),
            parent=span_id(self._run_id, *self._path(event.phase)),
            name=event.step,
            began=event.at - timedelta(seconds=event.took_s),
            ended=event.at,
            bad=event.outcome in _BAD,
            attributes=attributes,
        )

    def _undo(self, event: StepUndone) -> TraceSpan:
        return TraceSpan(
            id=span_id(self._run_id, event.phase, event.step, "undo"),
            parent=span_id(self._run_id, event.phase),
            name=f"undo {event.step}",
            began=event.at,
            ended=event.at,
            bad=event.outcome in _BAD,
            attributes={"pilothouse.outcome": event.outcome},
        )

    def _gate(self, event: VoteCast | ApprovalEnded) -> Iterator[TraceSpan]:
        gate = self._gates.get(event.approval_id)
        if gate is not None and event.decision is not None:
            yield TraceSpan(
                id=span_id(self._run_id, "approval", event.approval_id),
                parent=span_id(self._run_id, gate.approval.phase),
                name="approval",
                began=gate.at,
                ended=max(event.at, gate.at),
                attributes={"pilothouse.outcome": event.decision},
            )

    def _phase(self, event: PhaseFinished) -> TraceSpan:
        began = self._phases.get(event.phase, event.at)
        return TraceSpan(
            id=span_id(self._run_id, *self._path(event.phase)),
            parent=span_id(self._run_id),
            name=event.phase,
            began=began,
            ended=max(event.at, began),
            bad=event.outcome in _BAD,
            attributes={"pilothouse.outcome": event.outcome},
        )

    def _run(self, event: RunFinished) -> TraceSpan:
        service = self._started.params.get("service")
        return TraceSpan(
            id=span_id(self._run_id),
            name=self._started.runbook.name,
            began=self._started.at,
            ended=max(event.at, self._started.at),
            bad=event.outcome in _BAD,
            attributes={
                "pilothouse.run": self._run_id,
                "pilothouse.outcome": event.outcome,
                "pilothouse.service": service if isinstance(service, str) else "",
            },
        )
