"""Advance a run: do what is next, write it down, let go when there is nothing to do."""

from __future__ import annotations

import functools
import logging
from typing import assert_never

from bot.domain.errors import BotError, StaleEpochError
from bot.domain.rollouts.rollout import rollout_under_way
from bot.domain.runs.event import ApprovalEnded, Event, PhaseFinished, RunFinished
from bot.domain.runs.run import apply, fold
from bot.domain.runs.runbook import Background, Explore, FanOut, Phase, Pipeline, Plan, Reduce
from bot.engine.deployment_records import keep_record
from bot.engine.deps import Deps
from bot.engine.outcome import outcome_of
from bot.engine.phases import Answer, PhaseEnd, PhaseWait
from bot.engine.phases.background import background
from bot.engine.phases.gather import explore, fan_out
from bot.engine.phases.pipeline import pipeline
from bot.engine.phases.plan import plan
from bot.engine.phases.reduce import reduce
from bot.engine.service_lock import end_turns
from bot.engine.session import RunSession
from bot.templating.templates import truth

log = logging.getLogger(__name__)

_STOPPING = ("rejected", "expired", "breached")


class Engine:
    """Advances runs, one call at a time; holds no state of its own."""

    def __init__(self, deps: Deps) -> None:
        """Keep the surroundings."""
        self._deps = deps

    async def advance(self, run_id: str) -> None:
        """Take a run and carry it on until it waits, ends, or belongs to somebody else."""
        taken = await self._deps.stores.journal.take(run_id)
        if taken is None:
            return
        hand = RunSession(run_id, taken, self._deps)
        try:
            while not await self._next(hand):
                pass
        except StaleEpochError:
            log.warning("run_taken_over", extra={"run_id": run_id, "epoch": hand.epoch})

    async def give_up(self, run_id: str, why: str) -> None:
        """End a run that cannot be carried on, so that its thread says so."""
        taken = await self._deps.stores.journal.take(run_id)
        if taken is None:
            return
        summary = f"I could not carry this on: {why}. Somebody who runs this bot should read its logs."
        ended = RunFinished(at=self._deps.clock.now(), outcome="failed", summary=summary)
        await end_turns(self._deps, run_id)
        await keep_record(self._deps.stores.deployments, fold(run_id, (*taken.events, ended)))
        await self._deps.stores.journal.finish(run_id, (ended,), epoch=taken.epoch)
        log.error("run_given_up", extra={"run_id": run_id, "why": why})

    async def _next(self, hand: RunSession) -> bool:
        """Do the next thing; true when there is nothing to do for now."""
        phase = next_phase(hand)
        if phase is None:
            await _finish(hand)
            return True
        try:
            answer = await _skip_or_run(hand, phase)
        except BotError as error:
            if isinstance(error, StaleEpochError):
                raise
            answer = PhaseEnd(outcome="failed", why=error.in_full)
        match answer:
            case PhaseWait(until=until):
                parked = await hand.park(until)
                log.info("run_parked", extra={"run_id": hand.run.id, "phase": phase.id, "parked": parked})
                return parked
            case PhaseEnd():
                hand.note(
                    PhaseFinished(
                        at=hand.now,
                        phase=phase.id,
                        outcome=answer.outcome,
                        why=answer.why,
                        output=answer.output,
                    )
                )
                if isinstance(phase, Pipeline):
                    await keep_record(self._deps.stores.deployments, hand.run)  # a watch may go on for long
                if hand.has_turn:
                    await end_turns(self._deps, hand.run.id)
                    hand.has_turn = False
                log.info(
                    "phase_finished",
                    extra={"run_id": hand.run.id, "phase": phase.id, "outcome": answer.outcome},
                )
                return False
            case _:
                assert_never(answer)


def next_phase(hand: RunSession) -> Phase | None:
    """Find the phase to work on: the first without an outcome, unless the run is over."""
    run = hand.run
    if run.cancelled_by is not None:
        return rollout_under_way(run)  # it must be taken back before the run may end
    for phase in run.runbook.phases:
        state = run.phases[phase.id]
        if state.outcome is None:
            return phase
        may_fail = isinstance(phase, Explore | FanOut) and not phase.required
        if state.outcome in _STOPPING or (state.outcome == "failed" and not may_fail):
            return None
    return None


async def _skip_or_run(hand: RunSession, phase: Phase) -> Answer:
    started = hand.run.phases[phase.id].started_at is not None
    if phase.when is not None and not started and not truth(phase.when, hand.scope()):
        return PhaseEnd(outcome="skipped", why=f"not needed: {phase.when}")
    match phase:
        case Explore():
            return await explore(hand, phase)
        case FanOut():
            return await fan_out(hand, phase)
        case Reduce():
            return await reduce(hand, phase)
        case Plan():
            return await plan(hand, phase)
        case Pipeline():
            return await pipeline(hand, phase)
        case Background():
            return await background(hand, phase)
        case _:
            assert_never(phase)


async def _finish(hand: RunSession) -> None:
    outcome, summary = outcome_of(hand.run)
    events: list[Event] = []
    if (open_gate := hand.run.waiting_for) is not None:
        events.append(ApprovalEnded(at=hand.now, approval_id=open_gate.id, decision="cancelled"))
    events.append(RunFinished(at=hand.now, outcome=outcome, summary=summary))
    if hand.run.service:
        await end_turns(hand.deps, hand.run.id)  # also what an earlier owner of the run took and left
    # Before the run is let go of for good: whoever carries it on after a crash in between does so again.
    await keep_record(hand.deps.stores.deployments, functools.reduce(apply, events, hand.run))
    await hand.finish(*events)
    log.info("run_finished", extra={"run_id": hand.run.id, "outcome": outcome})
