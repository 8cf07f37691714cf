"""A journal as it travels: written by one version of the code, read by another, and looked over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import BotError
from bot.domain.runs.event import (
    EVENT,
    ApprovalRequested,
    EffectIntended,
    Event,
    InputsPinned,
    PhaseFinished,
    PhaseStarted,
    PreliminaryDiagnosisChanged,
    StepFinished,
)
from bot.domain.runs.run import Run, apply, begin

FORMAT = "pilothouse-run/1"
EVENT_TYPES = frozenset(member.model_fields["type"].default for member in get_args(get_args(Event)[0]))
"""The types of event that this version knows."""

_EVENTS: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])


class JournalError(BotError):
    """A journal holds something that this version of the code cannot read."""

    reason = "journal_unreadable"
    default_hint = "A newer version may have written it: use that version, or check the event named here."


def export_line(run_id: str, events: Sequence[Event]) -> str:
    """Write a run as one line of JSON: its id and its whole journal, with the runbook in it."""
    facts = _EVENTS.dump_python(tuple(events), mode="json", by_alias=True)
    return json.dumps({"format": FORMAT, "run": run_id, "events": facts}, ensure_ascii=False)


def import_line(line: str) -> tuple[str, tuple[Event, ...]]:
    """Read what ``export_line`` wrote.

    Raises:
        JournalError: it is not such a line, or holds an event that this version does not know.
    """
    try:
        data = json.loads(line)
    except ValueError:
        raise JournalError("That line is not JSON.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise JournalError(f"That line is not a run in the format {FORMAT}.")
    run_id = str(data.get("run", ""))
    return run_id, tuple(read_events(run_id, data.get("events", ())))


def read_events(run_id: str, facts: Iterable[object]) -> Iterator[Event]:
    """Read events, one by one.

    Raises:
        JournalError: one is of no known type, or has other fields than this version knows; it is named.
    """
    for number, fact in enumerate(facts):
        kind = fact.get("type") if isinstance(fact, dict) else None
        if kind not in EVENT_TYPES:
            raise JournalError(
                f"Event {number} of {run_id} has the type `{kind}`, which this version does not know."
            )
        try:
            yield EVENT.validate_python(fact)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            raise JournalError(f"Event {number} of {run_id} ({kind}): {where}: {first['msg']}.") from None


def problems_of(run_id: str, events: Sequence[Event]) -> tuple[str, ...]:
    """List, in words, everything that a sound journal does not have."""
    problems: list[str] = []
    run: Run | None = None
    latest = None
    for number, event in enumerate(events):
        try:
            oddities = () if run is None else tuple(_oddities(run, event))
            run = begin(run_id, event) if run is None else apply(run, event)
        except (KeyError, ValueError) as error:
            problems.append(f"event {number} ({event.type}) does not fit what came before: {error}")
            continue
        problems += [f"event {number} ({event.type}) {text}" for text in oddities]
        if latest is not None and event.at < latest:
            problems.append(
                f"event {number} ({event.type}) is earlier than the one before it; a clock went back"
            )
        latest = event.at
    problems += _left_open(run)
    return tuple(problems)


def _oddities(run: Run, event: Event) -> Iterator[str]:
    if run.outcome is not None:
        yield "comes after the end of the run"
    match event:
        case PhaseStarted() | PreliminaryDiagnosisChanged() | InputsPinned() | PhaseFinished() if (
            event.phase not in run.phases
        ):
            yield f"names the phase {event.phase}, which the runbook does not have"
        case StepFinished():
            step = run.phases[event.phase].steps.get(event.step)
            if step is not None and step.outcome is not None:
                yield f"is a second result of {event.step}; the first one counts"
        case EffectIntended():
            step = run.phases[event.phase].steps.get(event.step)
            if step is not None and event.epoch < step.intent_epoch:
                yield f"intends {event.step} at an older epoch than before"
        case ApprovalRequested() if run.waiting_for is not None:
            yield "opens a gate while another is open"
        case _:
            pass


def _left_open(run: Run | None) -> Iterator[str]:
    if run is None:
        yield "the journal is empty"
    elif run.outcome is not None:
        doubtful = [
            step.id for phase in run.phases.values() for step in phase.steps.values() if step.in_doubt
        ]
        yield from (f"ended with the effect of {step} in doubt" for step in doubtful)
