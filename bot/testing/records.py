"""The memory twins of what is kept beside runs, from monitors to flags."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from bot.adapters import leasing
from bot.domain.clock import Clock, SystemClock
from bot.domain.deployments.flag import Flag
from bot.domain.diagnoses.change import Change
from bot.domain.errors import StaleEpochError
from bot.domain.monitoring.heartbeat import Heartbeat, JobState, first_pulse
from bot.domain.monitoring.monitor import MonitorState, Pause
from bot.ports.claims import Claim
from bot.ports.locks import LockQueue


class MemoryMonitorStore:
    """The states of monitors; ``fired`` lists the checks to run."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.fired: list[tuple[str, float]] = []
        self._states: dict[str, MonitorState] = {}
        self._slots: dict[str, float] = {}
        self._pauses: dict[str, Pause] = {}

    async def states(self, names: Sequence[str]) -> dict[str, MonitorState]:
        """Return the states of monitors; one that never checked has a new state."""
        known = {name: self._states.get(name, MonitorState()) for name in names}
        return {name: state.but(pause=self._pauses.get(name)) for name, state in known.items()}

    async def fire(self, name: str, slots_s: Sequence[float]) -> int:
        """Claim slots, oldest first, and queue their checks; return how many were not claimed before."""
        new = [slot_s for slot_s in slots_s if slot_s > self._slots.get(name, 0)]
        self.fired += [(name, slot_s) for slot_s in new]
        self._slots[name] = max([self._slots.get(name, 0), *new])
        return len(new)

    async def last_slot(self, names: Sequence[str]) -> dict[str, float]:
        """Return the latest claimed slot of each, in seconds since the epoch; without one it is left out."""
        return {name: self._slots[name] for name in names if self._slots.get(name)}

    async def keep(self, name: str, state: MonitorState) -> bool:
        """Store the result of a check, but not the pause; return false if a newer slot was stored before."""
        known = self._states.get(name)
        if known is not None and known.watched.slot_s > state.watched.slot_s:
            return False
        self._states[name] = state.but(pause=None)
        return True

    async def pause(self, name: str, pause: Pause | None) -> None:
        """Pause a monitor's checks, or resume them."""
        self._pauses.pop(name, None)
        if pause is not None:
            self._pauses[name] = pause


class MemoryLocks:
    """Locks of services, in this process."""

    def __init__(self) -> None:
        """Start with all of them free."""
        self._held: dict[str, set[str]] = {}
        self._waiting: dict[str, list[str]] = {}
        self._ahead: set[tuple[str, str]] = set()

    async def acquire(self, name: str, *, run_id: str, most: int, ahead: bool = False) -> tuple[str, ...]:
        """Acquire one of ``most`` places at ``name``, or queue for it; return the runs ahead of this one.

        Who asks to be ``ahead`` goes before all who wait and did not.
        """
        held, waiting = self._held.setdefault(name, set()), self._waiting.setdefault(name, [])
        if run_id in held:
            return ()
        if ahead and (name, run_id) not in self._ahead:
            self._ahead.add((name, run_id))
            others = [other for other in waiting if other != run_id]
            before = sum((name, other) in self._ahead for other in others)
            waiting[:] = [*others[:before], run_id, *others[before:]]
        if len(held) < most and waiting[:1] in ([], [run_id]):
            held.add(run_id)
            waiting[:] = waiting[1:]
            return ()
        if run_id not in waiting:
            waiting.append(run_id)
        return (*held, *waiting[: waiting.index(run_id)])

    async def release(self, run_id: str) -> tuple[str, ...]:
        """Release all that a run holds or waits for; return the runs that are next."""
        heirs: list[str] = []
        self._ahead = {one for one in self._ahead if one[1] != run_id}
        for name, held in self._held.items():
            waiting = self._waiting[name]
            if run_id in waiting:
                waiting.remove(run_id)
            if run_id in held:
                held.remove(run_id)
                if waiting:
                    heirs.append(waiting.pop(0))
                    held.add(heirs[-1])
        return tuple(heirs)

    async def lines(self, names: Sequence[str]) -> tuple[LockQueue, ...]:
        """Return the holders and the queue of each name, all at one moment."""
        return tuple(
            LockQueue(
                held=tuple(sorted(self._held.get(name, ()))), waiting=tuple(self._waiting.get(name, ()))
            )
            for name in names
        )


class MemoryBudget:
    """Token buckets in this process."""

    def __init__(self) -> None:
        """Start with every bucket full."""
        self._buckets: dict[str, tuple[float, float]] = {}

    async def take(self, name: str, *, burst: float, per_s: float) -> float:
        """Take one of ``name``; return 0 if granted, else the seconds after which to ask again."""
        now = time.monotonic()
        tokens, at = self._buckets.get(name, (burst, now))
        tokens = min(burst, tokens + (now - at) * per_s)
        granted = tokens >= 1
        self._buckets[name] = (tokens - 1 if granted else tokens, now)
        return 0.0 if granted else (1 - tokens) / per_s


class MemoryChangeLedger:
    """The change ledger."""

    def __init__(self, clock: Clock) -> None:
        """Start empty; ``clock`` decides what is recent."""
        self._clock = clock
        self._changes: deque[Change] = deque(maxlen=10_000)

    async def record(self, change: Change) -> None:
        """Store one change; the same ``id`` twice is stored once."""
        if all(known.id != change.id for known in self._changes):
            self._changes.append(change)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        """List a service's changes of the last ``seconds``, oldest first."""
        now = self._clock.now()
        recent = (
            c for c in self._changes if c.service == service and (now - c.at).total_seconds() <= seconds
        )
        return tuple(sorted(recent, key=lambda change: change.at))


class MemoryHeartbeats:
    """The heartbeats of all jobs."""

    def __init__(self) -> None:
        """Start with jobs that have never reported."""
        self._pulses: dict[tuple[str, str], JobState] = {}

    async def beat(self, beat: Heartbeat) -> None:
        """Record a report."""
        known = self._pulses.get((beat.service, beat.job))
        self._pulses[beat.service, beat.job] = known.after(beat) if known else first_pulse(beat)

    async def pulse(self, *, service: str, job: str) -> JobState | None:
        """Return the state of a job; none if it has never reported."""
        return self._pulses.get((service, job))


class MemoryLeases:
    """The dead-man switches of all services."""

    def __init__(self) -> None:
        """Start with none held."""
        self._held: dict[str, tuple[str, float]] = {}

    def hold(self, service: str) -> AbstractAsyncContextManager[None]:
        """Hold and renew the lease of a service's address; the latest holder replaces any other."""
        return leasing.held(self, service)

    async def is_held(self, service: str) -> bool:
        """Return whether the lease is held now."""
        return bool(self._holder(service))

    async def take(self, service: str, token: str) -> None:
        """Take the lease from any other holder."""
        self._held[service] = (token, time.monotonic() + leasing.TTL_MS / 1000)

    async def keep(self, service: str, token: str) -> bool:
        """Renew the lease; return false if another holder has it now."""
        if self._holder(service) not in {"", token}:
            return False
        await self.take(service, token)
        return True

    async def drop(self, service: str, token: str) -> None:
        """Release the lease; nothing happens if another holder has it."""
        if self._holder(service) == token:
            del self._held[service]

    def _holder(self, service: str) -> str:
        token, until_s = self._held.get(service, ("", 0.0))
        return token if time.monotonic() < until_s else ""


class MemoryFlags:
    """The flags of all services."""

    def __init__(self) -> None:
        """Start with none set."""
        self._flags: dict[tuple[str, str], Flag] = {}
        self._fences: dict[str, int] = {}

    async def find(self, service: str, key: str) -> Flag | None:
        """Return a flag; none if it was never set."""
        return self._flags.get((service, key))

    async def put(self, service: str, flag: Flag, *, run_id: str, epoch: int) -> None:
        """Set a flag."""
        if self._fences.get(run_id, 0) > epoch:
            raise StaleEpochError(f"A newer owner of this run has set flags; {flag.key} was left alone.")
        self._fences[run_id] = epoch
        self._flags[service, flag.key] = flag


class MemoryRunClaims:
    """Which run has a name, in this process."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Start with nothing claimed; ``clock`` decides which claims have lapsed."""
        self._clock = clock or SystemClock()
        self._claims: dict[str, tuple[str, datetime | None]] = {}

    async def claim(
        self, name: str, *, holder: str, instead_of: str = "", lasts_s: float | None = None
    ) -> Claim:
        """Claim a name; return who has it: ``holder``, or another that was first."""
        known = self._held(name)
        if known is None or (known[0] == instead_of and instead_of != holder):
            until = None if lasts_s is None else self._clock.now() + timedelta(seconds=lasts_s)
            known = self._claims[name] = (holder, until)
        return Claim(holder=known[0], settled=known[1] is None)

    async def holder(self, name: str) -> str:
        """Return who has a name; empty if it is free."""
        known = self._held(name)
        return "" if known is None else known[0]

    async def settle(self, name: str, *, holder: str) -> bool:
        """Store a claim for good; return false if another has the name by now."""
        known = self._held(name)
        if known is None or known[0] != holder:
            return False
        self._claims[name] = (holder, None)
        return True

    def _held(self, name: str) -> tuple[str, datetime | None] | None:
        known = self._claims.get(name)
        lapsed = known is not None and known[1] is not None and known[1] <= self._clock.now()
        return None if lapsed else known
