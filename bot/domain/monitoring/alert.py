"""Alerts: what a monitoring system reports as wrong, with its life, and how people responded."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bot.domain.model import Instant, Model
from bot.domain.people import Person


class Acknowledgement(Model):
    """A person took charge of an alert."""

    by: Person
    at: Instant


class Silence(Model):
    """A person suppressed notifications for a fingerprint for a while."""

    by: Person
    until: Instant


class Alert(Model):
    """One alert; the same ``fingerprint`` and ``starts_at`` are the same episode.

    The reporter supplies all but people's decisions, which the store merges in when the alert is read.
    """

    fingerprint: str
    name: str
    service: str
    severity: str = ""
    summary: str = ""
    description: str = ""
    status: Literal["firing", "resolved"]
    starts_at: Instant
    ends_at: Instant | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    source: str = "alertmanager"
    url: str = ""
    unknown: bool = False
    """It cannot be measured whether all is well."""
    flapping: bool = False
    """It comes and goes, so that it stays open until it is calm."""
    times: int = Field(default=1, ge=1)
    """How often it fired within this episode."""
    value: str = ""
    """What was seen last, for people."""
    ended_before: Instant | None = None
    """When it was last reported as over; it has fired again since."""
    closed_because: str = ""
    """Why it is over, though its source did not report an end."""
    closed_by: Person | None = None
    """Who marked it as over."""
    left_out: int = Field(default=0, ge=0)
    """The number of unsent alerts of a group that this one represents."""

    acknowledged_by: Person | None = None
    acknowledged_at: Instant | None = None
    silenced_by: Person | None = None
    silenced_until: Instant | None = None
    ended_silenced: bool = False
    """It ended before its silence did, so it needs no notification."""

    @property
    def id(self) -> str:
        """The episode's id, derived, so that a redelivery is the same alert."""
        return f"{self.fingerprint}-{int(self.starts_at.timestamp())}"

    def as_reported(self) -> Alert:
        """Return the alert without people's decisions, which are stored beside the reports."""
        return self.decided(acknowledgement=None, silence=None, ended_silenced=False)

    def decided(
        self, *, acknowledgement: Acknowledgement | None, silence: Silence | None, ended_silenced: bool
    ) -> Alert:
        """Return the alert with people's decisions merged in."""
        return self.model_copy(
            update={
                "acknowledged_by": acknowledgement and acknowledgement.by,
                "acknowledged_at": acknowledgement and acknowledgement.at,
                "silenced_by": silence and silence.by,
                "silenced_until": silence and silence.until,
                "ended_silenced": ended_silenced,
            }
        )

    def silence_left_s(self, *, now: datetime) -> float:
        """Return for how many seconds more it is silenced; 0 if it is not."""
        if self.silenced_until is None:
            return 0
        return max(0.0, (self.silenced_until - now).total_seconds())


def fingerprint_of(alert_id: str) -> str:
    """Return the fingerprint that an episode's id belongs to."""
    return alert_id.rpartition("-")[0]
