"""What is known when a commit is to be blamed: the alert, the changes and the telemetry."""

from __future__ import annotations

from pydantic import Field

from bot.domain.model import Instant, Model

NONE = "none"
"""What is answered when no commit is to blame."""


class AlertRecord(Model):
    """What called for a person."""

    service: str
    metric: str = ""
    fired_at: Instant
    text: str = ""


class Commit(Model):
    """One commit of the repository; ``diff`` is empty where it is not known."""

    sha: str = Field(min_length=1)
    at: Instant
    message: str = ""
    files: tuple[str, ...] = ()
    diff: str = ""


class CommitRollout(Model):
    """A commit that went live in a service."""

    sha: str
    service: str
    at: Instant


class LogRecord(Model):
    """One line; ``fields`` are its structured values as ``(name, value)``."""

    at: Instant
    service: str
    level: str = "INFO"
    text: str
    fields: tuple[tuple[str, str], ...] = ()


class LogTemplate(Model):
    """A kind of line; ``delta`` is how many more there were than usual, negative for fewer."""

    service: str
    text: str
    delta: float = 0
    bad: bool = False


class SpanRecord(Model):
    """A span; ``depth`` counts the spans above it and ``callers`` are their services, outermost first."""

    service: str
    callers: tuple[str, ...] = ()
    depth: int = Field(default=0, ge=0)
    failed: bool = False
    text: str = ""


class SeriesRecord(Model):
    """A metric over time, in its own unit."""

    service: str
    metric: str
    points: tuple[tuple[Instant, float], ...]


class StatusLine(Model):
    """One line of a status page: of a provider or of the platform."""

    at: Instant
    status: str
    text: str = ""


class ChangeCase(Model):
    """One incident, with all commits that anyone might blame."""

    alert: AlertRecord
    commits: tuple[Commit, ...] = ()
    rollouts: tuple[CommitRollout, ...] = ()
    lines: tuple[LogRecord, ...] = ()
    templates: tuple[LogTemplate, ...] = ()
    calls: tuple[SpanRecord, ...] = ()
    series: tuple[SeriesRecord, ...] = ()
    statuses: tuple[StatusLine, ...] = ()
