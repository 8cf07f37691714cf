"""The machine's clock, and the shop's format for times."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the one place of the shop that reads the machine's clock


def iso(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds: ``2026-01-31T09:30:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
