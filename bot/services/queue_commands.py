"""Say who changes a service now, who waits behind whom, and when each is likely to begin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from html import escape

from bot.domain.deployments.deployment import Deployment
from bot.domain.deployments.queueing import QueueEntry, QueueEstimate, expect, stay_s, turn_of
from bot.domain.durations import format_duration
from bot.domain.errors import NotFoundError
from bot.domain.intent import AskQueue
from bot.domain.runs.event import Event
from bot.domain.runs.run import Run, fold
from bot.engine.deps import Deps
from bot.engine.service_lock import change_place
from bot.ports.locks import LockQueue

_MOST_SHOWN = 20
"""So many of a line are told one by one."""
_LOOK_BACK = 100
"""Among so many of the latest deployments of a service, like ones are looked for."""
_MOST_LIKE = 10
"""So many of the latest like ones make an estimate."""
_MINUTE_S = 60


class QueueCommands:
    """Reads only; what it says may be over a moment later."""

    def __init__(self, deps: Deps) -> None:
        """Keep the surroundings."""
        self._deps = deps

    async def show(self, intent: AskQueue) -> str:
        """Give the lines at one service, or at all where somebody changes something, as mrkdwn."""
        services = (intent.service,) if intent.service else self._deps.catalogue.names
        lines = await self._deps.stores.locks.lines([change_place(service) for service in services])
        told = [
            await self._told(service, line)
            for service, line in zip(services, lines, strict=True)
            if line.held or line.waiting
        ]
        paragraphs = [text for text in told if text]
        if paragraphs:
            return "\n".join(paragraphs)
        where = f"`{intent.service}`" if intent.service else "any service"
        return f"Nobody is changing {where} now, and nobody waits to."

    async def _told(self, service: str, line: LockQueue) -> str:
        ids = (*line.held, *line.waiting)
        found = await asyncio.gather(*(self._run(run_id) for run_id in ids[:_MOST_SHOWN]))
        now = self._deps.clock.now()
        turns = [
            turn_of(run, events, holds=run.id in line.held, at=now)
            for run, events in (one for one in found if one is not None)
            if run.outcome is None  # else it has ended, and its place is about to be given back
        ]
        if not turns:
            return ""
        stays = await self._stays(service, {turn.strategy for turn in turns})
        places = expect(turns, stays)
        rows = [_row(number, place) for number, place in _numbered(places)]
        if (more := len(ids) - _MOST_SHOWN) > 0:
            rows.append(f"… and {more} more behind them.")
        return "\n".join((f"*`{service}`*", *rows))

    async def _stays(self, service: str, strategies: set[str]) -> dict[str, list[float]]:
        """Measure how long the latest deployments of each strategy had their turn."""
        known = await self._deps.stores.deployments.of(service, limit=_LOOK_BACK)
        return {strategy: await self._stays_of(_like(known, strategy)) for strategy in strategies}

    async def _stays_of(self, deployments: Sequence[Deployment]) -> list[float]:
        found = await asyncio.gather(*(self._run(one.id) for one in deployments))
        stays = (stay_s(*one) for one in found if one is not None)
        return [stay for stay in stays if stay is not None]

    async def _run(self, run_id: str) -> tuple[Run, tuple[Event, ...]] | None:
        try:
            events = await self._deps.stores.journal.load(run_id)
        except NotFoundError:
            return None
        return fold(run_id, events), events


def _like(known: Iterable[Deployment], strategy: str) -> list[Deployment]:
    like = [one for one in known if one.strategy == strategy and one.changed and one.finished_at is not None]
    return like[:_MOST_LIKE]


def _numbered(places: Sequence[QueueEstimate]) -> list[tuple[int, QueueEstimate]]:
    holding = sum(place.turn.holds for place in places)
    return [(max(0, at - holding + 1), place) for at, place in enumerate(places)]


def _row(number: int, place: QueueEstimate) -> str:
    turn = place.turn
    what = f"<@{turn.by.id}>: {_what(turn)}"
    if turn.holds:
        since = "" if turn.since_s is None else f", since {_about(turn.since_s)}"
        return f"▶️ {what}{since}" + ("; it waits for a person's word." if turn.asks else ".")
    if place.begins_in_s is None:
        return f"{number}. {what}; when it begins is not known."
    return f"{number}. {what}; begins in about {_about(place.begins_in_s)}."


def _what(turn: QueueEntry) -> str:
    return escape(f"{turn.strategy} {turn.version}".strip(), quote=False)


def _about(seconds: float) -> str:
    """Write a duration no more exactly than it is known."""
    if seconds < _MINUTE_S:
        return format_duration(max(1, round(seconds)))
    return format_duration(round(seconds / _MINUTE_S) * _MINUTE_S)
