"""Aborts the rollouts that stand before an emergency change of the same service."""

from __future__ import annotations

import logging

from bot.domain.rollouts.rollout import rollout_under_way
from bot.domain.runs.event import RolloutSteered
from bot.domain.runs.run import fold
from bot.engine.service_lock import take_turn
from bot.engine.session import RunSession

log = logging.getLogger(__name__)

_TRIES = 50


async def make_way(hand: RunSession, phase: str) -> None:
    """Be next at the service, and abort the rollouts that are before; aborting needs nobody's approval."""
    if await take_turn(hand, phase, to="change", ahead=True) is None:
        return
    for other in hand.run.phases[phase].behind:
        await _abort(hand, other)


async def _abort(hand: RunSession, other: str) -> None:
    for _ in range(_TRIES):
        run = fold(other, await hand.deps.stores.journal.load(other))
        key = f"{hand.run.id}:preempts"
        if rollout_under_way(run) is None or key in run.steering.keys:
            return
        said = RolloutSteered(at=hand.now, by=hand.run.requested_by, word="abort", key=key)
        if await hand.deps.stores.journal.interject(run.id, (said,), length=run.length, wake=False):
            log.info("rollout_preempted", extra={"run_id": run.id, "by": hand.run.id})
            return
    log.warning("rollout_not_preempted", extra={"run_id": other, "by": hand.run.id})
