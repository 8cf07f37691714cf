"""A monitor: a probe on a schedule with a condition, and what is known of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.domain.cron import parse_cron
from bot.domain.durations import Seconds
from bot.domain.model import Instant, JsonObject, Model, Name
from bot.domain.monitoring.watching import MonitorHistory, WatchLimits
from bot.domain.people import Person
from bot.domain.runs.runbook import Expression

Severity = Literal["critical", "warning", "info"]
MissedPolicy = Literal["skip", "once", "all"]
_GAPS = 2.5
"""More intervals than this between two measurements leave a gap of which nothing is known."""
_CRON_GAP_S = 26 * 3600.0
_MS = 1000


class Monitor(Model):
    """An entry of a service's ``monitors:``; ``result`` in ``expect`` is the probe's answer."""

    id: Name
    title: str = ""
    probe: str
    arguments: JsonObject = Field(default_factory=dict, alias="with")
    """What the probe takes beside ``service``, which is the monitor's own."""
    expect: Expression
    """Holds while all is well, such as ``result.value < 0.05``."""
    every: Seconds = Field(default=60, ge=1, le=86_400)
    cron: str = ""
    """Five fields, instead of ``every``."""
    time_zone: str = "UTC"
    """Whose wall clock ``cron`` means."""
    breached_for: Seconds = Field(default=0, ge=0, alias="for")
    """A breach this old is an alert."""
    unknown_for: Seconds = Field(default=300, ge=0)
    """When it cannot be measured for this long, that is an alert of its own."""
    severity: Severity = "warning"
    then: Name | None = None
    """The runbook that each episode starts, once."""
    missed: MissedPolicy = "once"
    """What becomes of slots that passed while every clock was down: none, the latest or all are made up."""
    after_deploy: Seconds | None = Field(default=None, gt=0)
    """It runs only for this long after a deploy of its service."""
    timeout: Seconds = Field(default=10, gt=0, le=300)

    @model_validator(mode="after")
    def _schedule(self) -> Self:
        if self.cron:
            parse_cron(self.cron, zone=self.time_zone)
        return self

    @property
    def limits(self) -> WatchLimits:
        """The times by which measurements become episodes."""
        gap_s = _CRON_GAP_S if self.cron else max(_GAPS * self.every, self.every + self.timeout)
        return WatchLimits(gap_s=gap_s, for_s=self.breached_for, unknown_for_s=self.unknown_for)

    def slots(self, name: str, *, after: datetime, until: datetime) -> Iterator[datetime]:
        """List the slots after ``after`` up to ``until``; ``name`` spreads monitors of one interval."""
        if self.cron:
            yield from parse_cron(self.cron, zone=self.time_zone).between(after, until)
            return
        slot = self.next_slot(name, after=after)
        while slot is not None and slot <= until:
            yield slot
            slot = self.next_slot(name, after=slot)

    def next_slot(self, name: str, *, after: datetime) -> datetime | None:
        """Return the first slot after a moment; it is the same on every worker."""
        if self.cron:
            return parse_cron(self.cron, zone=self.time_zone).next(after)
        every_ms = round(self.every * _MS)
        offset_ms = zlib.crc32(name.encode()) % every_ms
        after_ms = round(after.timestamp() * _MS)
        slot_ms = ((after_ms - offset_ms) // every_ms + 1) * every_ms + offset_ms
        return datetime.fromtimestamp(slot_ms // _MS, UTC) + timedelta(milliseconds=slot_ms % _MS)


class Pause(Model):
    """A person's pause of a monitor."""

    by: Person
    at: Instant
    until: Instant | None = None
    """None: until a person resumes it."""


class MonitorState(Model):
    """What is known of one monitor."""

    watched: MonitorHistory = Field(default_factory=MonitorHistory)
    value: str = ""
    """What was last seen, for people."""
    seen_at: Instant | None = None
    reported: str = ""
    """The alert as it was last reported: only what differs is reported again."""
    started: str = ""
    """The alert for which its runbook was started."""
    pause: Pause | None = None

    @property
    def alert_id(self) -> str:
        """The alert that was last reported; empty before the first."""
        return self.reported.partition(" ")[0]

    def paused(self, *, now: datetime) -> bool:
        """Return whether it is paused now."""
        return self.pause is not None and (self.pause.until is None or now < self.pause.until)
