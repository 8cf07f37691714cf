"""Advances a run: takes the next step, records it, and releases the run when there is nothing to do."""

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
from bot.engine.phases import Answer, PhaseEnd, PhaseRepeat, PhaseWait
from bot.engine.phases.background import background
from bot.engine.phases.gather import explore, fan_out
from bot.engine.phases.pipeline import pipeline
from bot.engine.phases.plan import plan
from bot.engine.phases.reduce import reduce
from bot.engine.service_lock import release
from bot.engine.session import RunSession
from bot.templating.templates import truth

log = logging.getLogger(__name__)

_STOPPING = ("rejected", "expired", "withdrawn", "breached")


class Engine:
    """Advances runs, one call at a time; holds no state of its own."""

    def __init__(self, deps: Deps) -> None:
        """Store the dependencies."""
        self._deps = deps

    async def advance(self, run_id: str) -> None:
        """Take a run and advance it until it waits, ends, or belongs to another worker."""
        taken = await self._deps.stores.journal.take(run_id)
        if taken is None:
            return
        session = RunSession(run_id, taken, self._deps)
        try:
            while not await self._next(session):
                pass
        except StaleEpochError:
            log.warning("run_taken_over", extra={"run_id": run_id, "epoch": session.epoch})

    async def give_up(self, run_id: str, why: str) -> None:
        """End a run that cannot continue, so that its thread shows it."""
        taken = await self._deps.stores.journal.take(run_id)
        if taken is None:
            return
        summary = f"I had to stop: {why}. The person who runs this bot should check its logs (run {run_id})."
        ended = RunFinished(at=self._deps.clock.now(), outcome="failed", summary=summary)
        await release(self._deps, run_id)
        await keep_record(self._deps.stores.deployments, fold(run_id, (*taken.events, ended)))
        await self._deps.stores.journal.finish(run_id, (ended,), epoch=taken.epoch)
        log.error("run_given_up", extra={"run_id": run_id, "why": why})

    async def _next(self, session: RunSession) -> bool:
        """Take the next step; return true when there is nothing to do for now."""
        phase = next_phase(session)
        if phase is None:
            await _finish(session)
            return True
        try:
            answer = await _skip_or_run(session, phase)
        except BotError as error:
            if isinstance(error, StaleEpochError):
                raise
            answer = PhaseEnd(outcome="failed", why=error.in_full)
        match answer:
            case PhaseWait(until=until):
                parked = await session.park(until)
                log.info("run_parked", extra={"run_id": session.run.id, "phase": phase.id, "parked": parked})
                return parked
            case PhaseRepeat():
                log.info("phase_repeats", extra={"run_id": session.run.id, "phase": phase.id})
                return False
            case PhaseEnd():
                session.note(
                    PhaseFinished(
                        at=session.now,
                        phase=phase.id,
                        outcome=answer.outcome,
                        why=answer.why,
                        output=answer.output,
                    )
                )
                if isinstance(phase, Pipeline):
                    await keep_record(self._deps.stores.deployments, session.run)  # a watch may take long
                if session.has_turn:
                    await release(self._deps, session.run.id)
                    session.has_turn = False
                log.info(
                    "phase_finished",
                    extra={"run_id": session.run.id, "phase": phase.id, "outcome": answer.outcome},
                )
                return False
            case _:
                assert_never(answer)


def next_phase(session: RunSession) -> Phase | None:
    """Return the phase to work on: the first without an outcome; none if the run is over."""
    run = session.run
    if run.cancelled_by is not None:
        return rollout_under_way(run)  # it must be rolled back before the run may end
    for phase in run.runbook.phases:
        state = run.phases[phase.id]
        if state.outcome is None:
            return phase
        may_fail = isinstance(phase, Explore | FanOut) and not phase.required
        if state.outcome in _STOPPING or (state.outcome == "failed" and not may_fail):
            return None
    return None


async def _skip_or_run(session: RunSession, phase: Phase) -> Answer:
    started = session.run.phases[phase.id].started_at is not None
    if phase.when is not None and not started and not truth(phase.when, session.scope()):
        return PhaseEnd(outcome="skipped", why=f"not needed: {phase.when}")
    match phase:
        case Explore():
            return await explore(session, phase)
        case FanOut():
            return await fan_out(session, phase)
        case Reduce():
            return await reduce(session, phase)
        case Plan():
            return await plan(session, phase)
        case Pipeline():
            return await pipeline(session, phase)
        case Background():
            return await background(session, phase)
        case _:
            assert_never(phase)


async def _finish(session: RunSession) -> None:
    outcome, summary = outcome_of(session.run)
    events: list[Event] = []
    if (open_gate := session.run.waiting_for) is not None:
        events.append(ApprovalEnded(at=session.now, approval_id=open_gate.id, decision="cancelled"))
    events.append(RunFinished(at=session.now, outcome=outcome, summary=summary))
    if session.run.service:
        await release(session.deps, session.run.id)  # also what an earlier owner of the run acquired and left
    # Before the run is released for good: after a crash in between, the next owner records it again.
    await keep_record(session.deps.stores.deployments, functools.reduce(apply, events, session.run))
    await session.finish(*events)
    log.info("run_finished", extra={"run_id": session.run.id, "outcome": outcome})
