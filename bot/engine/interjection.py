"""Appends an event to another's run: load, decide, append, and again while others write to it."""

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
    """Append what ``decide`` makes of the run; return the run that it decided on, none if it decided nothing.

    ``decide`` is asked again with the new state where another wrote to the run in between; what it raises
    is raised.

    Raises:
        NotFoundError: there is no such run.
        BusyRunError: others wrote to the run all the time.
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
