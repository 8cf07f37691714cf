"""REDUCE: fold the results of earlier phases with a named reducer."""

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


async def reduce(hand: RunSession, phase: Reduce) -> PhaseEnd:
    """Let the named reducer speak; it says itself when it does not know.

    It is asked with what is pinned, never with what is at hand, so that asking again later is the same.
    """
    if hand.run.phases[phase.id].started_at is None:
        hand.note(PhaseStarted(at=hand.now, phase=phase.id))
    if hand.run.phases[phase.id].inputs is None:
        try:
            arguments = hand.render(phase.arguments)
        except BotError as error:
            return PhaseEnd(outcome="failed", why=error.in_full)
        hand.note(InputsPinned(at=hand.now, phase=phase.id, inputs=_inputs(hand, phase, arguments)))
    output = hand.deps.reducers[phase.reducer](input_of(hand.run, phase))
    told = output.model_dump(mode="json")
    if phase.required and output.verdict == "fail":
        return PhaseEnd(outcome="failed", why=output.summary, output=told)
    return PhaseEnd(outcome="ok", output=told)


def _inputs(hand: RunSession, phase: Reduce, arguments: JsonObject) -> Inputs:
    return Inputs(
        now=hand.now,
        arguments=arguments,
        services=neighbourhood(hand.deps.catalogue, {hand.run.service, *_named(hand, phase)}),
        ranker=hand.deps.ranker,
    )


def _named(hand: RunSession, phase: Reduce) -> Iterator[str]:
    """Name everything that the folded findings are about; some of it is in the catalogue."""
    for name in phase.over:
        for step in hand.run.phases[name].steps.values():
            if step.result is not None and step.result.get("type") == "findings":
                for finding in Findings.model_validate(step.result).items:
                    yield finding.service
                    yield finding.component
