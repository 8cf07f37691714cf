"""A run that this worker owns: reads, writes and contexts, fenced by the epoch."""

from __future__ import annotations

import asyncio
import functools
import logging
from datetime import datetime

from bot.domain.model import JsonObject
from bot.domain.runs.effect import Effect
from bot.domain.runs.event import Event
from bot.domain.runs.run import Run, apply, fold
from bot.engine.deps import Deps
from bot.engine.emergencies import show_emergency
from bot.engine.incidents import show_on_alerts
from bot.engine.plugins import Context
from bot.ports.journal import OwnedRun
from bot.templating.scope import scope_of
from bot.templating.templates import render

log = logging.getLogger(__name__)

_GATHER_S = 0.001
"""Seconds that a fact may wait to be written together with others; too short to be noticed."""


class RunSession:
    """Holds a run while this worker owns it.

    ``run`` is the state in the journal, together with the facts that are about to be written to it.
    """

    def __init__(self, run_id: str, taken: OwnedRun, deps: Deps) -> None:
        """Fold the journal that came with the run."""
        self.deps = deps
        self.epoch = taken.epoch
        self.run: Run = fold(run_id, taken.events)
        self.breach = ""
        """What the watch beside the steps saw; it stops them."""
        self.has_turn = False
        """Whether it holds a place at its service, or waits for one."""
        self._scope: tuple[Run, dict[str, object]] | None = None
        self._written = self.run.length
        self._pending: list[Event] = []
        self._due: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.deps.clock.now()

    @property
    def stopping(self) -> str:
        """Why no further step should start; empty while all is well."""
        if self.breach:
            return self.breach
        if (aborter := self.run.steering.aborted_by) is not None:
            return f"{aborter.name or aborter.id} aborted it"
        return "it was cancelled" if self.run.cancelled_by is not None else ""

    def note(self, *events: Event) -> None:
        """Fold facts now and have them written within a millisecond, together with others of that time.

        For facts that nothing outside depends on: if they are lost with this worker, they are
        read again.  Everything else is written with ``write``.

        Raises:
            StaleEpochError: another worker owns the run now, as an earlier write has shown.
        """
        if self._failure is not None:
            raise self._failure
        for event in events:
            self.run = apply(self.run, event)
        self._pending += events
        if self._writing is None and self._due is None:
            self._due = asyncio.get_running_loop().call_later(_GATHER_S, self._begin_to_write)

    async def write(self, *events: Event) -> None:
        """Append facts, and all that was noted before, and fold them; facts of others are folded too.

        Raises:
            StaleEpochError: another worker owns the run now.
        """
        self.note(*events)
        await self.settled()

    async def settled(self) -> None:
        """Wait until everything noted is written.

        Raises:
            StaleEpochError: another worker owns the run now.
        """
        if self._due is not None:
            self._begin_to_write()
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if self._failure is not None:
            raise self._failure

    async def park(self, until: datetime | None) -> bool:
        """Release the run; return false if something was written meanwhile, which has now been read."""
        await self.settled()
        if await self.deps.stores.journal.park(
            self.run.id, epoch=self.epoch, length=self._written, until=until
        ):
            return True
        await self._reload()
        return False

    async def finish(self, *events: Event) -> None:
        """Write the last facts, with those still pending, and release the run for good.

        Raises:
            StaleEpochError: another worker owns the run now.
        """
        rest, self._pending = self._pending, []
        self._rest()
        await self.settled()
        events = (*rest, *events)
        await self.deps.stores.journal.finish(self.run.id, events, epoch=self.epoch)
        ended = functools.reduce(apply, events, self.run)
        await show_on_alerts(self.deps.stores, ended, events)
        await show_emergency(self.deps.stores, ended, events)

    def _begin_to_write(self) -> None:
        self._rest()
        self._writing = asyncio.create_task(self._write_pending())

    def _rest(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    async def _write_pending(self) -> None:
        """Write until nothing is pending; the next call that notes or waits raises a failure."""
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                length = await self.deps.stores.journal.append(self.run.id, batch, epoch=self.epoch)
                self._written += len(batch)
                if length != self._written:
                    await self._reload()
                await show_on_alerts(self.deps.stores, self.run, batch)
                await show_emergency(self.deps.stores, self.run, batch)
        except Exception as error:  # noqa: BLE001  # raised where the run advances
            self._failure = error
        finally:
            self._writing = None

    async def _reload(self) -> None:
        """Read the journal again, because another writer added to it."""
        events = await self.deps.stores.journal.load(self.run.id)
        run = fold(self.run.id, events)
        for event in self._pending:
            run = apply(run, event)
        self.run, self._written = run, len(events)

    def scope(self, **more: object) -> dict[str, object]:
        """Return what templates may refer to at this point of the run."""
        if self._scope is None or self._scope[0] is not self.run:
            scope = scope_of(self.run, catalogue=self.deps.catalogue, settings=self.deps.settings)
            self._scope = (self.run, scope)
        return {**self._scope[1], **more}

    def render(self, arguments: JsonObject, **more: object) -> JsonObject:
        """Render the templates in a call's arguments.

        Raises:
            TemplateError: one refers to something the run does not know.
        """
        rendered = render(arguments, self.scope(**more))
        assert isinstance(rendered, dict)  # noqa: S101  # an object renders to an object
        return rendered

    def context(self, step_id: str, *, timeout_s: float, effect: Effect | None = None) -> Context:
        """Return the context for a plugin."""
        return self.deps.context(self.run.id, step_id, timeout_s=timeout_s, effect=effect)
