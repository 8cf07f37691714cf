"""Locks services: one run changes a service at a time, and a limited number read its sources at once."""

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
"""Seconds until a waiting run checks again, in case the run before it dies without waking it."""


def change_place(service: str) -> str:
    """Return the name of the lock for changing a service."""
    return f"change:{service}"


async def acquire(
    session: RunSession, phase: str, *, to: Literal["change", "read"], ahead: bool = False
) -> PhaseWait | None:
    """Acquire the run's service, or queue for it, ``ahead`` of others if set; none means acquired."""
    if not session.run.service:
        return None
    most = 1 if to == "change" else session.deps.readers_per_service
    name = change_place(session.run.service) if to == "change" else f"{to}:{session.run.service}"
    before = await session.deps.stores.locks.acquire(name, run_id=session.run.id, most=most, ahead=ahead)
    if before and await _release_ended(session.deps, before):
        before = await session.deps.stores.locks.acquire(name, run_id=session.run.id, most=most, ahead=ahead)
    session.has_turn = True
    known = session.run.phases[phase].behind
    if before:
        if before != known:
            session.note(TurnAwaited(at=session.now, phase=phase, behind=before))
        return PhaseWait(until=session.now + timedelta(seconds=_LOOK_AGAIN_S))
    if known:
        session.note(TurnTaken(at=session.now, phase=phase))
    return None


async def release(deps: Deps, run_id: str) -> None:
    """Release all that a run holds or waits for, and wake the runs that are next."""
    for heir in await deps.stores.locks.release(run_id):
        await deps.stores.journal.wake(heir)


async def _release_ended(deps: Deps, runs: tuple[str, ...]) -> bool:
    """Release what ended runs still hold; return whether there was any."""
    ended = [run_id for run_id in runs if await _has_ended(deps, run_id)]
    for run_id in ended:
        log.warning("turn_left_behind", extra={"run_id": run_id})
        await release(deps, run_id)
    return bool(ended)


async def _has_ended(deps: Deps, run_id: str) -> bool:
    try:
        return isinstance((await deps.stores.journal.load(run_id))[-1], RunFinished)
    except NotFoundError:
        return True
