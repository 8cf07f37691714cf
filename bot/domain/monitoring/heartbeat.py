"""Heartbeats: what jobs report about themselves, and the state of a job derived from that."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.domain.model import Instant, Model, Name

MOST_TEXT = 500
"""How many characters of a report's text are kept."""


class Heartbeat(Model):
    """One report of a job: it went well, or it failed."""

    service: Name
    job: Name
    at: Instant
    status: Literal["ok", "fail"]
    text: Annotated[str, Field(max_length=MOST_TEXT)] = ""
    duration_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class JobState(Model):
    """What is known of a job: its last report, when it last went well, and how often it has failed since."""

    last: Heartbeat
    ok_at: Instant | None = None
    failures: int = 0
    """Reports of failure in a row, up to now."""

    def after(self, beat: Heartbeat) -> JobState:
        """Add the next report."""
        if beat.status == "ok":
            return JobState(last=beat, ok_at=beat.at)
        return JobState(last=beat, ok_at=self.ok_at, failures=self.failures + 1)


def first_pulse(beat: Heartbeat) -> JobState:
    """Begin with a job's first report."""
    ok = beat.status == "ok"
    return JobState(last=beat, ok_at=beat.at if ok else None, failures=0 if ok else 1)
