"""REDUCE: fold the results of earlier phases with a named reducer."""

from __future__ import annotations

from bot.domain.errors import BotError
from bot.domain.event import PhaseStarted
from bot.domain.runbook import Reduce
from bot.engine.deps import ReduceInput
from bot.engine.hand import Hand
from bot.engine.phases import Ended


async def reduce(hand: Hand, phase: Reduce) -> Ended:
    """Let the named reducer speak; it says itself when it does not know."""
    if hand.run.phases[phase.id].started_at is None:
        hand.note(PhaseStarted(at=hand.now, phase=phase.id))
    try:
        arguments = hand.render(phase.arguments)
    except BotError as error:
        return Ended(outcome="failed", why=str(error))
    output = hand.deps.reducers[phase.reducer](
        ReduceInput(
            run=hand.run,
            phases=tuple(hand.run.phases[name] for name in phase.over),
            arguments=arguments,
            catalogue=hand.deps.catalogue,
            now=hand.now,
        )
    )
    return Ended(outcome="ok", output=output.model_dump(mode="json"))
