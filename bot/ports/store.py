"""What the engine needs of the outside, in its own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.board import Posted, Topic
from bot.domain.deployments.deployment import Deployment
from bot.domain.intent import Intent, Notice
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.monitor import MonitorState, Pause
from bot.domain.people import Person, Profile
from bot.domain.runs.event import Event, RunStarted
from bot.domain.runs.runbook import Runbook


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A run in this worker's hands, until a higher ``epoch`` exists."""

    epoch: int
    events: tuple[Event, ...]


class Journal(Protocol):
    """The journals of all runs; every write of an owner is fenced by its epoch."""

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Begin a run and make it ready; false if there is one of that id already."""
        ...

    async def take(self, run_id: str) -> Taken | None:
        """Own the run at the next epoch; none if it is finished or unknown."""
        ...

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Write facts as the owner; gives the journal's length, votes of others included.

        Raises:
            StaleEpochError: somebody else owns the run by now; nothing was written.
        """
        ...

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Let go of the run until a wake-up or ``until``; false if the journal is longer than ``length``.

        Raises:
            StaleEpochError: as ``append``.
        """
        ...

    async def wake(self, run_id: str) -> bool:
        """Make a parked run ready; false if it is not parked."""
        ...

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Write facts from outside; false, and nothing written, if the journal is longer than ``length``."""
        ...

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Write the last facts and let go of the run for good.

        Raises:
            StaleEpochError: as ``append``.
        """
        ...

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Read a journal.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """List the ids of the latest runs, newest first."""
        ...

    async def unfinished(self, *, runbook: str) -> tuple[str, ...]:
        """List the ids of all runs of a runbook that have not ended, however long ago they began.

        Where the store cannot tell the runbook of an old run, that run is among them.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """What a worker does with each kind of work; one that fails is called again with the same."""

    run: Callable[[str], Awaitable[None]]
    """Advance the run of this id."""
    intent: Callable[[Intent], Awaitable[None]]
    """Carry an intent out."""
    check: Callable[[str, float], Awaitable[None]]
    """Look at a monitor, by id, for the slot that began at so many seconds since the epoch."""
    give_up: Callable[[str, str], Awaitable[None]]
    """End the run of this id, which failed too often, and say why."""


class Work(Protocol):
    """What carries ready runs, intents and checks to workers."""

    async def serve(self, handlers: Handlers) -> None:
        """Hand out work until cancelled; what a handler does not finish is delivered again."""
        ...

    async def reconcile(self) -> int:
        """Hand out again every run under way that no message stands for; gives how many."""
        ...

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; gives how many."""
        ...

    async def depth(self) -> int:
        """Tell how much is waiting."""
        ...


class DeploymentBook(Protocol):
    """The record of deployments; it outlives their runs, and each change of it is announced."""

    async def record(self, deployment: Deployment) -> bool:
        """Keep a deployment as it stands; false, and nothing kept, if it is known to have ended before."""
        ...

    async def get(self, deployment_id: str) -> Deployment:
        """Read a deployment.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    async def of(self, service: str, *, limit: int) -> tuple[Deployment, ...]:
        """List the latest deployments of a service's address, of all if it is empty, newest first."""
        ...

    async def since(self, seconds: float) -> tuple[Deployment, ...]:
        """List all deployments that were asked for in the last ``seconds``, oldest first."""
        ...


class Inbox(Protocol):
    """Where intents are written before anything is answered."""

    async def put(self, intent: Intent) -> bool:
        """Write an intent down; false if its key was seen before.

        Raises:
            BusyError: so much is waiting that a new run would be late; nothing was written.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Line:
    """Who holds a place at something, and who waits for one, in the order of their turns."""

    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Locks(Protocol):
    """Places at a service; held by runs, which outlive the workers that carry them."""

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Take one of ``most`` places at ``name``, or one in its queue; gives the runs before this one.

        None before it means that it holds a place.  Asking again changes nothing, but that who asks to be
        ``ahead`` goes before all who wait and did not.
        """
        ...

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Give back all that a run holds or waits for; gives the runs whose turn it is now."""
        ...

    async def lines(self, names: Sequence[str]) -> tuple[Line, ...]:
        """Tell who holds and who waits at each name, all at one moment."""
        ...


class Leases(Protocol):
    """Dead-man switches: a candidate has traffic only while somebody holds its service's lease.

    A lease lapses by itself within a second when its holder is gone, however it went.
    """

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold the lease of a service's address, renewed all the while; whoever takes it last has it."""
        ...

    async def is_held(self, service: str) -> bool:
        """Tell whether somebody holds it now."""
        ...


class AlertBook(Protocol):
    """The alerts that were reported, and what people decided about them, which no report undoes."""

    async def report(self, alert: Alert) -> bool:
        """Keep an alert's latest state; false if nothing is new.  A resolved alert does not fire again."""
        ...

    async def get(self, alert_id: str) -> Alert:
        """Read an alert.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    async def firing(self, *, limit: int = 50) -> tuple[Alert, ...]:
        """List the alerts that fire, newest first."""
        ...

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...

    async def acknowledge(self, alert_id: str, *, by: Person, at: datetime) -> bool:
        """Write down who looks after an alert; false if somebody does already."""
        ...

    async def silence(self, fingerprint: str, *, by: Person, until: datetime) -> None:
        """Let nothing new be told of a fingerprint until then; the latest word wins."""
        ...

    async def unsilence(self, fingerprint: str) -> None:
        """End a silence now; who does so marks the topics that should be shown at once."""
        ...

    async def silence_of(self, fingerprint: str) -> tuple[Person, datetime] | None:
        """Tell who silenced a fingerprint, and until when; none if it is not silenced."""
        ...


class MonitorBook(Protocol):
    """What is known of the monitors, by their full names."""

    async def states(self, names: Sequence[str]) -> dict[str, MonitorState]:
        """Read what is known of monitors; one that never looked is as new."""
        ...

    async def fire(self, name: str, slots_s: Sequence[float]) -> int:
        """Claim slots, oldest first, and have them looked at; gives how many nobody had claimed."""
        ...

    async def last_slot(self, names: Sequence[str]) -> dict[str, float]:
        """Tell the latest claimed slot of each, in seconds since the epoch; without one it is left out."""
        ...

    async def keep(self, name: str, state: MonitorState) -> bool:
        """Keep what a look has shown, but not its pause; false if a newer slot was kept before."""
        ...

    async def pause(self, name: str, pause: Pause | None) -> None:
        """Stop a monitor from looking, or let it look again."""
        ...


class Directory(Protocol):
    """Who people are, asked at the moment it matters."""

    async def profile(self, user_id: str) -> Profile:
        """Look a person up."""
        ...

    async def groups_of(self, user_id: str, *, among: Sequence[str]) -> frozenset[str]:
        """Tell which of these groups the person is in now."""
        ...


class Teller(Protocol):
    """Answers one person alone."""

    async def tell(self, notice: Notice) -> None:
        """Show the notice to its person; a failure is logged, not raised."""
        ...


class Board(Protocol):
    """What was posted about each topic, and which topics want another look."""

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Topic, ...]:
        """Take topics that changed; nobody else gets them for ``lease_s`` seconds."""
        ...

    async def release(self, topic: Topic, *, again_in_s: float | None = None) -> None:
        """Give a topic back; it stays marked if it changed meanwhile, or is looked at again after a while."""
        ...

    async def mark(self, topic: Topic) -> None:
        """Say that a topic changed."""
        ...

    async def posted(self, topic: Topic) -> dict[str, Posted]:
        """Read what is known to be posted, by slot."""
        ...

    async def record(self, topic: Topic, slot: str, posted: Posted) -> None:
        """Write down what is posted, or, without a ``ts``, that a post begins.

        Raises:
            HoldLostError: the topic was claimed here, and the lease has ended; nothing was written.
        """
        ...

    async def wait(self, *, timeout_s: float) -> None:
        """Sleep until a topic of this process changed, or ``timeout_s`` seconds."""
        ...


class Budget(Protocol):
    """Shared allowances, so that all workers together stay within a limit."""

    async def take(self, name: str, *, burst: float, per_s: float) -> float:
        """Take one of ``name``; 0 if it was granted, else the seconds after which to ask again."""
        ...


class Library(Protocol):
    """The runbooks that were loaded and checked."""

    def get(self, name: str) -> Runbook:
        """Find a runbook.

        Raises:
            NotFoundError: there is none of that name.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """List every runbook's name."""
        ...
