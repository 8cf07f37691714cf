"""Aborts the rollouts that an emergency change of the same service would wait for."""

from __future__ import annotations

import logging

from bot.domain.rollouts.rollout import rollout_under_way
from bot.domain.runs.event import RolloutSteered
from bot.domain.runs.run import Run
from bot.engine.interjection import BusyRunError, Interjection, interject
from bot.engine.service_lock import acquire
from bot.engine.session import RunSession

log = logging.getLogger(__name__)


async def make_way(session: RunSession, phase: str) -> None:
    """Queue next for the service, and abort the rollouts ahead; an abort needs no approval."""
    if await acquire(session, phase, to="change", ahead=True) is None:
        return
    for other in session.run.phases[phase].behind:
        await _abort(session, other)


async def _abort(session: RunSession, other: str) -> None:
    key = f"{session.run.id}:preempts"

    async def decided(run: Run) -> Interjection | None:
        if rollout_under_way(run) is None or key in run.steering.keys:
            return None
        said = RolloutSteered(at=session.now, by=session.run.requested_by, word="abort", key=key)
        return Interjection(event=said, wake=False)

    try:
        if await interject(session.deps.stores.journal, other, decided) is not None:
            log.info("rollout_preempted", extra={"run_id": other, "by": session.run.id})
    except BusyRunError:
        log.warning("rollout_not_preempted", extra={"run_id": other, "by": session.run.id})
