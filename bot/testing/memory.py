"""The memory twins of journals, work, inbox and board: the same promises, in one process."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime

from bot.domain.board import Hold, PostedMessage, Topic
from bot.domain.errors import HoldLostError, NotFoundError, StaleEpochError
from bot.domain.intent import Intent
from bot.domain.runs.event import Event, RunStarted
from bot.ports.journal import OwnedRun
from bot.ports.work import WorkHandlers

log = logging.getLogger(__name__)


class _Run:
    """One run's journal and its owner's epoch."""

    def __init__(self, event: RunStarted) -> None:
        self.runbook = event.runbook.name
        self.events: list[Event] = [event]
        self.epoch = 0
        self.state = "ready"
        self.wakes_at: datetime | None = None


class MemoryStore:
    """Journals, work and inbox together: a change of state and its wake-up are one thing."""

    def __init__(self) -> None:
        """Start empty."""
        self.board = MemoryMessageBoard()
        self._runs: dict[str, _Run] = {}
        self._seen: set[str] = set()
        self._ready: asyncio.Queue[str | Intent] = asyncio.Queue()

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Start a run and make it ready; return false if the id already exists."""
        if run_id in self._runs:
            return False
        self._runs[run_id] = _Run(event)
        await self._changed(run_id)
        self._ready.put_nowait(run_id)
        return True

    async def take(self, run_id: str) -> OwnedRun | None:
        """Take ownership of the run at the next epoch; none if it is finished or unknown."""
        run = self._runs.get(run_id)
        if run is None or run.state == "finished":
            return None
        run.epoch += 1
        run.state, run.wakes_at = "running", None
        return OwnedRun(epoch=run.epoch, events=tuple(run.events))

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Append facts as the owner; return the journal's length."""
        run = self._fenced(run_id, epoch)
        run.events.extend(events)
        await self._changed(run_id)
        return len(run.events)

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Release the run until a wake-up or ``until``; return false if the journal is longer."""
        run = self._fenced(run_id, epoch)
        if len(run.events) != length:
            return False
        if run.state != "ready":  # else it was parked and woken already, which must not be lost
            run.state, run.wakes_at = "parked", until
        return True

    async def wake(self, run_id: str) -> bool:
        """Make a parked run ready; return false if it is not parked."""
        run = self._runs.get(run_id)
        if run is None or run.state != "parked":
            return False
        run.state, run.wakes_at = "ready", None
        self._ready.put_nowait(run_id)
        return True

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Append facts from outside; return false if the journal is longer than ``length``."""
        run = self._runs.get(run_id)
        if run is None or len(run.events) != length or run.state == "finished":
            return False
        run.events.extend(events)
        await self._changed(run_id)
        if wake:
            await self.wake(run_id)
        return True

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Append the last facts and release the run for good."""
        run = self._fenced(run_id, epoch)
        run.events.extend(events)
        run.state, run.wakes_at = "finished", None
        await self._changed(run_id)

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Return a journal."""
        if run_id not in self._runs:
            raise NotFoundError(f"No run has the id {run_id}.")
        return tuple(self._runs[run_id].events)

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """List the ids of the latest runs, newest first."""
        return tuple(reversed(self._runs))[:limit]

    async def unfinished(self, *, runbook: str) -> tuple[str, ...]:
        """List the ids of all runs of that runbook that have not ended."""
        return tuple(
            run_id for run_id, run in self._runs.items() if run.state != "finished" and run.runbook == runbook
        )

    async def put(self, intent: Intent) -> bool:
        """Store an intent; return false if its key was seen before."""
        if intent.key in self._seen:
            return False
        self._seen.add(intent.key)
        self._ready.put_nowait(intent)
        return True

    async def serve(self, handlers: WorkHandlers) -> None:
        """Hand out work until cancelled, everything at once."""
        async with asyncio.TaskGroup() as group:
            while True:
                item = await self._ready.get()
                if isinstance(item, str):
                    group.create_task(_handled(handlers.run(item)))
                else:
                    group.create_task(_handled(handlers.intent(item)))

    async def reconcile(self) -> int:
        """Return 0: no message gets lost here."""
        return 0

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; return how many."""
        due = sorted((run.wakes_at, name) for name, run in self._runs.items() if run.wakes_at is not None)
        return sum([await self.wake(run_id) for at, run_id in due if at <= now])

    async def depth(self) -> int:
        """Return how much work is waiting."""
        return self._ready.qsize()

    def _fenced(self, run_id: str, epoch: int) -> _Run:
        run = self._runs.get(run_id)
        if run is None or run.epoch != epoch or run.state == "finished":
            raise StaleEpochError(f"{run_id} is no longer at epoch {epoch}; another worker owns it.")
        return run

    async def _changed(self, run_id: str) -> None:
        await self.board.mark(Topic(kind="run", id=run_id))


async def _handled(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work_crashed")


class MemoryMessageBoard:
    """What was posted about each topic, and which topics need an update."""

    def __init__(self) -> None:
        """Start empty."""
        self._due: dict[Topic, float] = {}
        self._held: dict[Topic, tuple[str, float]] = {}
        self._claims = itertools.count(1)
        self._posted: dict[Topic, dict[str, PostedMessage]] = {}
        self._changed = asyncio.Event()

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Hold, ...]:
        """Claim and return topics that changed; no other worker gets them for ``lease_s`` seconds."""
        now = time.monotonic()
        free = [t for t, at in self._due.items() if at <= now and self._held.get(t, ("", 0))[1] <= now]
        holds = tuple(Hold(topic=topic, mark=str(next(self._claims))) for topic in free[:limit])
        for hold in holds:
            self._due[hold.topic] = now + lease_s
            self._held[hold.topic] = (hold.mark, now + lease_s)
        return holds

    async def release(self, hold: Hold, *, again_in_s: float | None = None) -> None:
        """Release a topic; it stays marked if it changed meanwhile."""
        mark, until = self._held.get(hold.topic, ("", 0.0))
        if mark != hold.mark:
            return
        del self._held[hold.topic]
        if self._due.get(hold.topic) == until:
            if again_in_s is None:
                del self._due[hold.topic]
            else:
                self._due[hold.topic] = time.monotonic() + again_in_s

    async def mark(self, topic: Topic) -> None:
        """Mark a topic as changed."""
        self._due[topic] = time.monotonic()
        self._changed.set()

    async def posted(self, topic: Topic) -> dict[str, PostedMessage]:
        """Return the posted messages, by slot."""
        return dict(self._posted.get(topic, {}))

    async def record(self, hold: Hold, slot: str, posted: PostedMessage) -> None:
        """Record a posted message."""
        mark, until = self._held.get(hold.topic, ("", 0.0))
        if mark != hold.mark or until <= time.monotonic():
            raise HoldLostError(f"{hold.topic.kind}:{hold.topic.id} is no longer held.")
        self._posted.setdefault(hold.topic, {})[slot] = posted

    async def wait(self, *, timeout_s: float) -> None:
        """Sleep until a topic changed, or ``timeout_s`` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._changed.clear()
