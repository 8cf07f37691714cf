"""REDUCE: folds the results of earlier phases with a named reducer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult, may_clear_up
from bot.domain.diagnoses.finding import Findings
from bot.domain.errors import BotError
from bot.domain.model import JsonObject
from bot.domain.runs.event import InputsPinned, LookAgainPlanned, LookedAgain, PhaseStarted
from bot.domain.runs.inputs import Inputs, neighbourhood
from bot.domain.runs.runbook import Explore, FanOut, Reduce
from bot.engine.phases import Answer, PhaseEnd, PhaseRepeat, PhaseWait
from bot.engine.replay import input_of
from bot.engine.session import RunSession


async def reduce(session: RunSession, phase: Reduce) -> Answer:
    """Run the named reducer; it reports itself when it does not know.

    It reads only the pinned inputs, never current state, so that a replay gives the same result.  Where a
    diagnosis may clear up, its sources are read once more after a while.
    """
    if (again_at := session.run.phases[phase.id].again_at) is not None:
        return _again(session, phase, again_at)
    if session.run.phases[phase.id].started_at is None:
        session.note(PhaseStarted(at=session.now, phase=phase.id))
    if session.run.phases[phase.id].inputs is None:
        try:
            arguments = session.render(phase.arguments)
        except BotError as error:
            return PhaseEnd(outcome="failed", why=error.in_full)
        session.note(InputsPinned(at=session.now, phase=phase.id, inputs=_inputs(session, phase, arguments)))
    output = session.deps.reducers[phase.reducer](input_of(session.run, phase))
    told = output.model_dump(mode="json")
    if (why := _worth_another_look(session, phase, output)) and phase.look_again_s is not None:
        until = session.now + timedelta(seconds=phase.look_again_s)
        session.note(LookAgainPlanned(at=session.now, phase=phase.id, until=until, because=why, output=told))
        return PhaseWait(until=until)
    if phase.required and output.verdict == "fail":
        return PhaseEnd(outcome="failed", why=output.summary, output=told)
    return PhaseEnd(outcome="ok", output=told)


def _worth_another_look(session: RunSession, phase: Reduce, output: Diagnosis | ReducerResult) -> str:
    """Return why the sources should be read once more; empty if they should not, or were already."""
    first = phase.look_again_s is not None and session.run.phases[phase.id].looks == 1
    return may_clear_up(output) if first and isinstance(output, Diagnosis) else ""


def _again(session: RunSession, phase: Reduce, again_at: datetime) -> Answer:
    """Wait until the sources are to be read again, then have the phases that read them repeated."""
    if session.now < again_at:
        return PhaseWait(until=again_at)
    over = [name for name in phase.over if isinstance(session.run.runbook.phase(name), FanOut | Explore)]
    session.note(LookedAgain(at=session.now, phase=phase.id, over=tuple(over)))
    return PhaseRepeat()


def _inputs(session: RunSession, phase: Reduce, arguments: JsonObject) -> Inputs:
    return Inputs(
        now=session.now,
        arguments=arguments,
        services=neighbourhood(session.deps.catalogue, {session.run.service, *_named(session, phase)}),
        ranker=session.deps.ranker,
    )


def _named(session: RunSession, phase: Reduce) -> Iterator[str]:
    """Yield the name of everything that the folded findings are about; some of it is in the catalogue."""
    for name in phase.over:
        for step in session.run.phases[name].steps.values():
            if step.result is not None and step.result.get("type") == "findings":
                for finding in Findings.model_validate(step.result).items:
                    yield finding.service
                    yield finding.component
