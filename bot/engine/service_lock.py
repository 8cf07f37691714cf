"""Whose turn it is at a service: one run changes it at a time, and only so many read its sources at once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Literal

from bot.domain.errors import NotFoundError
from bot.domain.runs.event import RunFinished, TurnAwaited, TurnTaken
from bot.engine.deps import Deps
from bot.engine.phases import PhaseWait
from bot.engine.session import RunSession

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 15.0
"""Whoever hands over wakes the next in line; this is for the case that it dies in between."""


def change_place(service: str) -> str:
    """Name the place at which runs take turns to change a service."""
    return f"change:{service}"


async def take_turn(
    hand: RunSession, phase: str, *, to: Literal["change", "read"], ahead: bool = False
) -> PhaseWait | None:
    """Take a place at the run's service, or wait in line, ``ahead`` of the others; none: the way is free."""
    if not hand.run.service:
        return None
    most = 1 if to == "change" else hand.deps.readers_per_service
    name = change_place(hand.run.service) if to == "change" else f"{to}:{hand.run.service}"
    before = await hand.deps.stores.locks.acquire(name, run_id=hand.run.id, most=most, ahead=ahead)
    if before and await _left_by_the_ended(hand.deps, before):
        before = await hand.deps.stores.locks.acquire(name, run_id=hand.run.id, most=most, ahead=ahead)
    hand.has_turn = True
    known = hand.run.phases[phase].behind
    if before:
        if before != known:
            hand.note(TurnAwaited(at=hand.now, phase=phase, behind=before))
        return PhaseWait(until=hand.now + timedelta(seconds=_LOOK_AGAIN_S))
    if known:
        hand.note(TurnTaken(at=hand.now, phase=phase))
    return None


async def end_turns(deps: Deps, run_id: str) -> None:
    """Give back all that a run holds or waits for, and wake those whose turn it is."""
    for heir in await deps.stores.locks.release(run_id):
        await deps.stores.journal.wake(heir)


async def _left_by_the_ended(deps: Deps, runs: tuple[str, ...]) -> bool:
    """Give back what runs hold that have ended, and did not come to give it back themselves."""
    ended = [run_id for run_id in runs if await _has_ended(deps, run_id)]
    for run_id in ended:
        log.warning("turn_left_behind", extra={"run_id": run_id})
        await end_turns(deps, run_id)
    return bool(ended)


async def _has_ended(deps: Deps, run_id: str) -> bool:
    try:
        return isinstance((await deps.stores.journal.load(run_id))[-1], RunFinished)
    except NotFoundError:
        return True
