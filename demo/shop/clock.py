"""The machine's clock, and how the shop writes moments down."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Tell the present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the one place of the shop that reads the machine's clock


def iso(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds: ``2026-01-31T09:30:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
