"""A run in this worker's hands: reads, writes and contexts, fenced by the epoch."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from bot.domain.effect import Effect
from bot.domain.event import Event
from bot.domain.model import JsonObject
from bot.domain.run import Run, apply, fold
from bot.engine.deps import Deps
from bot.engine.plugins import Context
from bot.engine.ports import Taken
from bot.engine.scope import scope_of
from bot.engine.templates import render

log = logging.getLogger(__name__)


class Hand:
    """Holds a run while this worker owns it; ``run`` is always what the journal says."""

    def __init__(self, run_id: str, taken: Taken, deps: Deps) -> None:
        """Fold the journal that came with the run."""
        self.deps = deps
        self.epoch = taken.epoch
        self.run: Run = fold(run_id, taken.events)
        self.breach = ""
        """What a watch beside the steps saw; it stops them."""
        self._writing = asyncio.Lock()

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.deps.clock.now()

    @property
    def stopping(self) -> str:
        """Why nothing more should be begun; empty while all is well."""
        return self.breach or ("it was cancelled" if self.run.cancelled_by is not None else "")

    async def write(self, *events: Event) -> None:
        """Append facts and fold them; facts that others wrote meanwhile are folded too.

        Raises:
            StaleEpochError: another worker owns the run by now.
        """
        async with self._writing:
            length = await self.deps.journal.append(self.run.id, events, epoch=self.epoch)
            for event in events:
                self.run = apply(self.run, event)
            if length != self.run.length:
                await self.reload()

    async def reload(self) -> None:
        """Read the journal again: somebody else wrote into it."""
        self.run = fold(self.run.id, await self.deps.journal.load(self.run.id))

    async def park(self, until: datetime | None) -> bool:
        """Let go of the run; false if something was written meanwhile, which has now been read."""
        length = self.run.length
        if await self.deps.journal.park(self.run.id, epoch=self.epoch, length=length, until=until):
            return True
        await self.reload()
        return False

    def scope(self, **more: object) -> dict[str, object]:
        """What templates may refer to at this point of the run."""
        return {**scope_of(self.run, catalogue=self.deps.catalogue, settings=self.deps.settings), **more}

    def render(self, arguments: JsonObject, **more: object) -> JsonObject:
        """Render the templates in a call's arguments.

        Raises:
            TemplateError: one refers to something the run does not know.
        """
        rendered = render(arguments, self.scope(**more))
        assert isinstance(rendered, dict)  # noqa: S101  # an object renders to an object
        return rendered

    def context(self, step_id: str, *, timeout_s: float, effect: Effect | None = None) -> Context:
        """Make what a plugin is handed."""
        return Context(
            run_id=self.run.id,
            step_id=step_id,
            timeout_s=timeout_s,
            clock=self.deps.clock,
            http=self.deps.http,
            catalogue=self.deps.catalogue,
            ledger=self.deps.ledger,
            effect=effect,
        )
