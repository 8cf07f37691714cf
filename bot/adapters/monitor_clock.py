"""Fires monitors: APScheduler in memory decides when, a claim in the store decides which clock."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger
from redis.exceptions import RedisError

from bot.domain.clock import Clock
from bot.domain.monitoring.monitor import Monitor
from bot.ports.monitors import MonitorStore

log = logging.getLogger(__name__)

_MOST_MADE_UP = 100
"""The most missed slots that are made up for."""
_STILL_ON_TIME_S = 5.0
_LONGEST_LOOK_BACK = timedelta(days=2)


class MonitorClock:
    """One of any number of clocks: each has every monitor's schedule, and each slot is claimed once."""

    def __init__(self, monitors: Mapping[str, tuple[str, Monitor]], book: MonitorStore, clock: Clock) -> None:
        """Fire ``monitors``, with claims in ``book``."""
        self._monitors = {name: monitor for name, (_, monitor) in monitors.items()}
        self._book = book
        self._clock = clock
        self._last: dict[str, float] = {}

    async def begin(self, scheduler: BaseScheduler) -> None:
        """Read which slots were claimed last, make up for missed ones, and schedule every monitor."""
        now = self._clock.now()
        self._last = dict.fromkeys(self._monitors, now.timestamp())
        self._last |= await self._book.last_slot(tuple(self._monitors))
        for name, monitor in self._monitors.items():
            await self.fire(name)
            scheduler.add_job(
                self.fire,
                _Slots(name, monitor),
                args=(name,),
                id=f"monitor:{name}",
                coalesce=True,
                max_instances=10,
                misfire_grace_time=None,
            )
        log.info("monitors_scheduled", extra={"monitors": len(self._monitors)})

    async def fire(self, name: str) -> int:
        """Claim what is due since the last claim, by its policy; return how many this clock claimed."""
        now = self._clock.now()
        slots_s = due_slots(self._monitors[name], name, last_s=self._last[name], now=now)
        if not slots_s:
            return 0
        try:
            fired = await self._book.fire(name, slots_s)
        except (RedisError, OSError) as error:
            log.warning("monitor_not_fired", extra={"monitor": name, "error": type(error).__name__})
            return 0  # the next slot looks for them again
        self._last[name] = slots_s[-1]
        return fired


def due_slots(monitor: Monitor, name: str, *, last_s: float, now: datetime) -> Sequence[float]:
    """Return which slots after ``last_s`` are due now; pure.

    ``skip``: the latest, if it is on time; ``once``: the latest, however late; ``all``: every one, up to 100.
    """
    after = max(datetime.fromtimestamp(last_s, UTC), now - _LONGEST_LOOK_BACK)
    slots_s = [slot.timestamp() for slot in monitor.slots(name, after=after, until=now)]
    match monitor.missed:
        case "all":
            return slots_s[-_MOST_MADE_UP:]
        case "once":
            return slots_s[-1:]
        case "skip":
            return [slot_s for slot_s in slots_s[-1:] if now.timestamp() - slot_s <= _STILL_ON_TIME_S]


class _Slots(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A monitor's slots as an APScheduler trigger."""

    def __init__(self, name: str, monitor: Monitor) -> None:
        self._name = name
        self._monitor = monitor

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime | None:
        """Return the next slot."""
        return self._monitor.next_slot(self._name, after=now)
