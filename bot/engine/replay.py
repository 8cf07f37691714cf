"""Ask a reducer again what it said in a journal, from nothing but what it read then."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.errors import NotFoundError
from bot.domain.model import JsonObject
from bot.domain.runs.event import Event, InputsPinned, PhaseFinished
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Reduce, ReducerName
from bot.engine.deps import ReduceInput, Reducer

Reducers = Mapping[ReducerName, Reducer]


class InputsMissingError(NotFoundError):
    """The journal does not tell what the reducer read."""

    reason = "inputs_missing"
    default_hint = "Inputs are kept since 0.1; a run that is older, or never came to a diagnosis, has none."


@dataclass(frozen=True, kw_only=True)
class RecordedReduction:
    """One reducer's word in a journal, and what it was given."""

    phase: Reduce
    given: ReduceInput
    ranker: str
    output: JsonObject


def recorded(run_id: str, events: Sequence[Event]) -> tuple[RecordedReduction, ...]:
    """Find every reducer's word in a journal, in its order.

    Raises:
        InputsMissingError: there is none whose inputs were kept.
    """
    found = tuple(_recorded(run_id, events))
    if not found:
        raise InputsMissingError(f"{run_id} tells no diagnosis together with what it was made from.")
    return found


def _recorded(run_id: str, events: Sequence[Event]) -> Iterator[RecordedReduction]:
    whole = fold(run_id, events)
    pinned: dict[str, Run] = {}
    for place, event in enumerate(events, start=1):
        match event:
            case InputsPinned() if event.phase not in pinned:
                # What came later, such as the remedy's steps, the reducer did not see.
                pinned[event.phase] = fold(run_id, events[:place])
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
    """Build what a reducer sees, from the journal alone; the engine and a replay both ask with this.

    Raises:
        InputsMissingError: the phase's inputs are not in the journal.
    """
    inputs = run.phases[phase.id].inputs
    if inputs is None:
        raise InputsMissingError(f"The inputs of {phase.id} were not kept.")
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
    """Ask the reducer again; with ``catalogue``, as if that had been the catalogue then."""
    given = told.given if catalogue is None else replace(told.given, catalogue=catalogue)
    return reducers[told.phase.reducer](given)


def as_text(output: JsonObject) -> str:
    """Write a reducer's word down; two are the same if this is, byte for byte."""
    return json.dumps(output, ensure_ascii=False, indent=1) + "\n"


def difference(told: RecordedReduction, now: Diagnosis | ReducerResult) -> tuple[str, ...]:
    """Tell line by line how an answer differs from the recorded one; nothing if it does not."""
    before, after = as_text(told.output), as_text(now.model_dump(mode="json"))
    if before == after:
        return ()
    return tuple(
        difflib.unified_diff(before.splitlines(), after.splitlines(), "recorded", "replayed", lineterm="")
    )
