"""While a fan-out runs: what its answers so far point to, whenever one moves it."""

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


def lean(hand: RunSession, phase: Phase, *, step: str) -> None:
    """Ask the reducer that will fold this phase what it would say now, and note it if ``step`` moved it.

    What has not answered yet is left out, for it may still answer; what cannot be asked yet is not asked.
    """
    reduce = _folding(hand.run, phase)
    if reduce is None:
        return
    try:
        said = hand.deps.reducers[reduce.reducer](
            ReduceInput(
                run=hand.run,
                phases=tuple(_answered(hand.run.phases[name]) for name in reduce.over),
                arguments=hand.render(reduce.arguments),
                catalogue=hand.deps.catalogue,
                now=hand.now,
            )
        )
    except BotError:
        return  # the reducer itself will say why, once all is in
    known = hand.run.phases[phase.id].leanings
    before = known[-1].leaning if known else PreliminaryDiagnosis()
    after = leaning_of(said) if isinstance(said, Diagnosis) else PreliminaryDiagnosis()
    moved = move(before, after)
    if moved is not None:
        hand.note(
            PreliminaryDiagnosisChanged(at=hand.now, phase=phase.id, step=step, leaning=after, move=moved)
        )


def _folding(run: Run, phase: Phase) -> Reduce | None:
    """Find the diagnosis that a phase's answers go into."""
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
