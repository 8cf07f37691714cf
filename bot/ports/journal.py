"""The journals of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.runs.event import Event, RunStarted


@dataclass(frozen=True, kw_only=True)
class OwnedRun:
    """A run that this worker owns, until a higher ``epoch`` exists."""

    epoch: int
    events: tuple[Event, ...]


class Journal(Protocol):
    """The journals of all runs; every write of an owner is fenced by its epoch."""

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Start a run and make it ready; return false if the id already exists."""
        ...

    async def take(self, run_id: str) -> OwnedRun | None:
        """Take ownership of the run at the next epoch; none if it is finished or unknown."""
        ...

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Append facts as the owner; return the journal's length, votes of others included.

        Raises:
            StaleEpochError: another worker owns the run now; nothing was written.
        """
        ...

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Release the run until a wake-up or ``until``; false if the journal is longer than ``length``.

        Raises:
            StaleEpochError: as ``append``.
        """
        ...

    async def wake(self, run_id: str) -> bool:
        """Make a parked run ready; return false if it is not parked."""
        ...

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Append facts from outside; false, and nothing written, if the journal is longer than ``length``."""
        ...

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Append the last facts and release the run for good.

        Raises:
            StaleEpochError: as ``append``.
        """
        ...

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Return a journal.

        Raises:
            NotFoundError: no run has that id.
        """
        ...

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """List the ids of the latest runs, newest first."""
        ...

    async def unfinished(self, *, runbook: str) -> tuple[str, ...]:
        """List the ids of all runs of a runbook that have not ended, however long ago they began.

        Where the store does not know the runbook of an old run, that run is included.
        """
        ...
