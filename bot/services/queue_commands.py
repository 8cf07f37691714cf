"""Reads which run changes a service, which runs wait behind it, and when each is likely to start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bot.domain.clock import Clock
from bot.domain.deployments.deployment import Deployment
from bot.domain.deployments.queueing import ServiceQueue, expect, stay_s, turn_of
from bot.domain.errors import NotFoundError
from bot.domain.runs.event import Event
from bot.domain.runs.run import Run, fold
from bot.engine.service_lock import change_place
from bot.engine.stores import Stores
from bot.ports.locks import LockQueue

_MOST_SHOWN = 20
"""The most runs of a queue that are read one by one."""
_LOOK_BACK = 100
"""The number of latest deployments of a service that are searched for similar ones."""
_MOST_LIKE = 10
"""The most similar deployments that an estimate is made from."""


class QueueCommands:
    """Reads only; what it returns may be out of date a moment later."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        """Store the stores, which are only read."""
        self._journal = stores.journal
        self._locks = stores.locks
        self._deployments = stores.deployments
        self._clock = clock

    async def queues(self, services: Sequence[str]) -> tuple[ServiceQueue, ...]:
        """Return the queues of these services; one that no run changes or waits to change is left out."""
        lines = await self._locks.lines([change_place(service) for service in services])
        found = [
            await self._queue(service, line)
            for service, line in zip(services, lines, strict=True)
            if line.held or line.waiting
        ]
        return tuple(queue for queue in found if queue.places)

    async def _queue(self, service: str, line: LockQueue) -> ServiceQueue:
        ids = (*line.held, *line.waiting)
        found = await asyncio.gather(*(self._run(run_id) for run_id in ids[:_MOST_SHOWN]))
        now = self._clock.now()
        turns = [
            turn_of(run, events, holds=run.id in line.held, at=now)
            for run, events in (one for one in found if one is not None)
            if run.outcome is None  # else it has ended, and its place is about to be released
        ]
        stays = await self._stays(service, {turn.strategy for turn in turns})
        more = max(0, len(ids) - _MOST_SHOWN)
        return ServiceQueue(service=service, places=expect(turns, stays), more=more)

    async def _stays(self, service: str, strategies: set[str]) -> dict[str, list[float]]:
        """Return for how many seconds the latest deployments of each strategy held the service."""
        known = await self._deployments.of(service, limit=_LOOK_BACK)
        return {strategy: await self._stays_of(_like(known, strategy)) for strategy in strategies}

    async def _stays_of(self, deployments: Sequence[Deployment]) -> list[float]:
        found = await asyncio.gather(*(self._run(one.id) for one in deployments))
        stays = (stay_s(*one) for one in found if one is not None)
        return [stay for stay in stays if stay is not None]

    async def _run(self, run_id: str) -> tuple[Run, tuple[Event, ...]] | None:
        try:
            events = await self._journal.load(run_id)
        except NotFoundError:
            return None
        return fold(run_id, events), events


def _like(known: Iterable[Deployment], strategy: str) -> list[Deployment]:
    like = [one for one in known if one.strategy == strategy and one.changed and one.finished_at is not None]
    return like[:_MOST_LIKE]
