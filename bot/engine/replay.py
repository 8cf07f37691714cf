"""Replays a reducer on the inputs that a journal recorded."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.errors import NotFoundError
from bot.domain.model import JsonObject
from bot.domain.runs.event import Event, InputsPinned, LookedAgain, PhaseFinished
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Reduce, ReducerName
from bot.engine.deps import ReduceInput, Reducer

Reducers = Mapping[ReducerName, Reducer]


class InputsMissingError(NotFoundError):
    """The journal does not hold the reducer's inputs."""

    reason = "inputs_missing"
    default_hint = "Inputs are recorded since 0.1. An older run, or one without a diagnosis, has none."


@dataclass(frozen=True, kw_only=True)
class RecordedReduction:
    """One reducer's output in a journal, and its inputs."""

    phase: Reduce
    given: ReduceInput
    ranker: str
    output: JsonObject


def recorded(run_id: str, events: Sequence[Event]) -> tuple[RecordedReduction, ...]:
    """Return every reducer's output in a journal, in its order.

    Raises:
        InputsMissingError: the journal holds no output with its inputs.
    """
    found = tuple(_recorded(run_id, events))
    if not found:
        raise InputsMissingError(f"{run_id} has no diagnosis whose inputs were recorded.")
    return found


def _recorded(run_id: str, events: Sequence[Event]) -> Iterator[RecordedReduction]:
    whole = fold(run_id, events)
    pinned: dict[str, Run] = {}
    for place, event in enumerate(events, start=1):
        match event:
            case InputsPinned() if event.phase not in pinned:
                # The reducer did not see what came later, such as the remedy's steps.
                pinned[event.phase] = fold(run_id, events[:place])
            case LookedAgain():
                pinned.pop(event.phase, None)  # it will be asked with what is read then
            case PhaseFinished(output=dict() as output) if event.phase in pinned:
                phase = whole.runbook.phase(event.phase)
                if isinstance(phase, Reduce):
                    run = pinned[event.phase]
                    given = input_of(run, phase)
                    inputs = run.phases[phase.id].inputs
                    ranker = inputs.ranker if inputs is not None else ""
                    yield RecordedReduction(phase=phase, given=given, ranker=ranker, output=output)
            case _:
                pass


def input_of(run: Run, phase: Reduce) -> ReduceInput:
    """Return a reducer's input, from the journal alone; the engine and a replay both use it.

    Raises:
        InputsMissingError: the phase's inputs are not in the journal.
    """
    inputs = run.phases[phase.id].inputs
    if inputs is None:
        raise InputsMissingError(f"The inputs of {phase.id} were not recorded.")
    return ReduceInput(
        run=run,
        phases=tuple(run.phases[name] for name in phase.over),
        arguments=inputs.arguments,
        catalogue=inputs.catalogue,
        now=inputs.now,
    )


def again(
    told: RecordedReduction, reducers: Reducers, *, catalogue: Catalogue | None = None
) -> Diagnosis | ReducerResult:
    """Run the reducer again; with ``catalogue``, as if that had been the catalogue then."""
    given = told.given if catalogue is None else replace(told.given, catalogue=catalogue)
    return reducers[told.phase.reducer](given)


def as_text(output: JsonObject) -> str:
    """Return a reducer's output as text; two outputs are equal if their texts are, byte for byte."""
    return json.dumps(output, ensure_ascii=False, indent=1) + "\n"


def difference(told: RecordedReduction, now: Diagnosis | ReducerResult) -> tuple[str, ...]:
    """Return the line-by-line difference from the recorded output; empty if there is none."""
    before, after = as_text(told.output), as_text(now.model_dump(mode="json"))
    if before == after:
        return ()
    return tuple(
        difflib.unified_diff(before.splitlines(), after.splitlines(), "recorded", "replayed", lineterm="")
    )
