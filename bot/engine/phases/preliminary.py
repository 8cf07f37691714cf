"""Notes preliminary diagnoses while a fan-out runs, each time an answer changes them."""

from __future__ import annotations

from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.errors import BotError
from bot.domain.runs.event import PreliminaryDiagnosisChanged
from bot.domain.runs.preliminary import PreliminaryDiagnosis, leaning_of, move
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import Phase, Reduce
from bot.engine.deps import ReduceInput
from bot.engine.session import RunSession


def note_preliminary_diagnosis(session: RunSession, phase: Phase, *, step: str) -> None:
    """Run the reducer of this phase on the answers so far, and note its result if ``step`` changed it.

    Steps that have not answered are left out, for they may still answer; where the reducer cannot run yet,
    nothing is noted.
    """
    reduce = _folding(session.run, phase)
    if reduce is None:
        return
    try:
        said = session.deps.reducers[reduce.reducer](
            ReduceInput(
                run=session.run,
                phases=tuple(_answered(session.run.phases[name]) for name in reduce.over),
                arguments=session.render(reduce.arguments),
                catalogue=session.deps.catalogue,
                now=session.now,
            )
        )
    except BotError:
        return  # the reducer will report the reason once all answers are in
    known = session.run.phases[phase.id].leanings
    before = known[-1].leaning if known else PreliminaryDiagnosis()
    after = leaning_of(said) if isinstance(said, Diagnosis) else PreliminaryDiagnosis()
    moved = move(before, after)
    if moved is not None:
        session.note(
            PreliminaryDiagnosisChanged(at=session.now, phase=phase.id, step=step, leaning=after, move=moved)
        )


def _folding(run: Run, phase: Phase) -> Reduce | None:
    """Return the phase whose diagnosis uses a phase's answers."""
    return next(
        (
            later
            for later in run.runbook.phases
            if isinstance(later, Reduce) and later.reducer == "rank_causes" and phase.id in later.over
        ),
        None,
    )


def _answered(state: PhaseState) -> PhaseState:
    steps = {name: step for name, step in state.steps.items() if step.outcome is not None}
    return state.but(steps=steps)
