"""REDUCE: folds the results of earlier phases with a named reducer."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.diagnoses.finding import Findings
from bot.domain.errors import BotError
from bot.domain.model import JsonObject
from bot.domain.runs.event import InputsPinned, PhaseStarted
from bot.domain.runs.inputs import Inputs, neighbourhood
from bot.domain.runs.runbook import Reduce
from bot.engine.phases import PhaseEnd
from bot.engine.replay import input_of
from bot.engine.session import RunSession


async def reduce(session: RunSession, phase: Reduce) -> PhaseEnd:
    """Run the named reducer; it reports itself when it does not know.

    It reads only the pinned inputs, never current state, so that a replay gives the same result.
    """
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
    if phase.required and output.verdict == "fail":
        return PhaseEnd(outcome="failed", why=output.summary, output=told)
    return PhaseEnd(outcome="ok", output=told)


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
