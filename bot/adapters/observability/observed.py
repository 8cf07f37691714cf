"""A journal and a budget that report what passes through them, so that the engine need not."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from bot.domain.errors import StaleEpochError
from bot.domain.runs.event import Event, RunStarted
from bot.ports.budget import Budget
from bot.ports.journal import Journal, OwnedRun

log = logging.getLogger(__name__)

Letting = Literal["parked", "finished", "stale"]


class Observer(Protocol):
    """Is notified of what this process did with runs, afterwards."""

    def started(self, run_id: str, event: RunStarted) -> None:
        """Observe that a run began."""
        ...

    def taken(self, run_id: str, taken: OwnedRun) -> None:
        """Observe that this process now owns a run."""
        ...

    def wrote(self, run_id: str, events: Sequence[Event]) -> None:
        """Observe which events were written."""
        ...

    def let_go(self, run_id: str, how: Letting) -> None:
        """Observe that this process no longer owns a run: ``parked``, ``finished`` or ``stale``."""
        ...


class Observers:
    """Several observers as one; a measurement that fails must never fail a run."""

    def __init__(self, *observers: Observer) -> None:
        """Notify ``observers`` in this order."""
        self._observers = observers

    def started(self, run_id: str, event: RunStarted) -> None:
        """Pass it on."""
        self._each(lambda observer: observer.started(run_id, event))

    def taken(self, run_id: str, taken: OwnedRun) -> None:
        """Pass it on."""
        self._each(lambda observer: observer.taken(run_id, taken))

    def wrote(self, run_id: str, events: Sequence[Event]) -> None:
        """Pass it on."""
        self._each(lambda observer: observer.wrote(run_id, events))

    def let_go(self, run_id: str, how: Letting) -> None:
        """Pass it on."""
        self._each(lambda observer: observer.let_go(run_id, how))

    def _each(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception:  # whatever failed, the run continues
                log.exception("observer_failed", extra={"observer": type(observer).__name__})


class ObservedJournal:
    """The journal inside, with an observer; every promise is that of the journal inside."""

    def __init__(self, inside: Journal, observer: Observer) -> None:
        """Wrap ``inside``, and report to ``observer``."""
        self._inside = inside
        self._observer = observer

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Begin a run; a repeated start is not reported again."""
        new = await self._inside.start(run_id, event)
        if new:
            self._observer.started(run_id, event)
        return new

    async def take(self, run_id: str) -> OwnedRun | None:
        """Own the run at the next epoch."""
        taken = await self._inside.take(run_id)
        if taken is not None:
            self._observer.taken(run_id, taken)
        return taken

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Write events as the owner."""
        with self._watching(run_id):
            length = await self._inside.append(run_id, events, epoch=epoch)
        self._observer.wrote(run_id, events)
        return length

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Let go of the run until something wakes it."""
        with self._watching(run_id):
            parked = await self._inside.park(run_id, epoch=epoch, length=length, until=until)
        if parked:
            self._observer.let_go(run_id, "parked")
        return parked

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Write the last events."""
        with self._watching(run_id):
            await self._inside.finish(run_id, events, epoch=epoch)
        self._observer.wrote(run_id, events)
        self._observer.let_go(run_id, "finished")

    async def wake(self, run_id: str) -> bool:
        """Make a parked run ready."""
        return await self._inside.wake(run_id)

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Write events from outside; the owner reports them once it has read them."""
        return await self._inside.interject(run_id, events, length=length, wake=wake)

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Return a journal."""
        return await self._inside.load(run_id)

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """Return the ids of the latest runs."""
        return await self._inside.recent(limit=limit)

    async def unfinished(self, *, runbook: str) -> tuple[str, ...]:
        """Return the ids of all runs of that runbook that have not ended."""
        return await self._inside.unfinished(runbook=runbook)

    @contextlib.contextmanager
    def _watching(self, run_id: str) -> Iterator[None]:
        try:
            yield
        except StaleEpochError:
            self._observer.let_go(run_id, "stale")
            raise


class ObservedBudget:
    """The budget inside; ``heard`` gets the bucket's name and the seconds to wait, 0 where it was granted."""

    def __init__(self, inside: Budget, heard: Callable[[str, float], None]) -> None:
        """Wrap ``inside``, and report to ``heard``."""
        self._inside = inside
        self._heard = heard

    async def take(self, name: str, *, burst: float, per_s: float) -> float:
        """Take one of ``name``."""
        wait_s = await self._inside.take(name, burst=burst, per_s=per_s)
        self._heard(name, wait_s)
        return wait_s
