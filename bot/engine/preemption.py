"""Aborts the rollouts that an emergency change of the same service would wait for."""

from __future__ import annotations

import logging

from bot.domain.rollouts.rollout import rollout_under_way
from bot.domain.runs.event import RolloutSteered
from bot.domain.runs.run import fold
from bot.engine.service_lock import acquire
from bot.engine.session import RunSession

log = logging.getLogger(__name__)

_TRIES = 50


async def make_way(session: RunSession, phase: str) -> None:
    """Queue next for the service, and abort the rollouts ahead; an abort needs no approval."""
    if await acquire(session, phase, to="change", ahead=True) is None:
        return
    for other in session.run.phases[phase].behind:
        await _abort(session, other)


async def _abort(session: RunSession, other: str) -> None:
    for _ in range(_TRIES):
        run = fold(other, await session.deps.stores.journal.load(other))
        key = f"{session.run.id}:preempts"
        if rollout_under_way(run) is None or key in run.steering.keys:
            return
        said = RolloutSteered(at=session.now, by=session.run.requested_by, word="abort", key=key)
        if await session.deps.stores.journal.interject(run.id, (said,), length=run.length, wake=False):
            log.info("rollout_preempted", extra={"run_id": run.id, "by": session.run.id})
            return
    log.warning("rollout_not_preempted", extra={"run_id": other, "by": session.run.id})
