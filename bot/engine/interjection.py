"""Appends an event to a run from outside: load, decide, append, and retry while others write to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.errors import BotError
from bot.domain.runs.event import Event
from bot.domain.runs.run import Run, fold
from bot.ports.journal import Journal

_TRIES = 50


class BusyRunError(BotError):
    """A run changes too quickly for anything else to be appended."""

    reason = "busy"


@dataclass(frozen=True, kw_only=True)
class Interjection:
    """One event for a run as it was read; ``wake``: the run continues because of it."""

    event: Event
    wake: bool


async def interject(
    journal: Journal, run_id: str, decide: Callable[[Run], Awaitable[Interjection | None]]
) -> Run | None:
    """Append the event that ``decide`` makes of the run; return the run it was made from, or ``None``.

    If another process wrote to the run meanwhile, ``decide`` is called again with the new state.  Its
    exceptions pass through.

    Raises:
        NotFoundError: the run does not exist.
        BusyRunError: others kept writing to the run.
    """
    for _ in range(_TRIES):
        run = fold(run_id, await journal.load(run_id))
        made = await decide(run)
        if made is None:
            return None
        if await journal.interject(run_id, (made.event,), length=run.length, wake=made.wake):
            return run
    raise BusyRunError(
        "Your click was not recorded: this is changing too quickly.", hint="Please click again."
    )
