"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> datetime:
    """Turn seconds since the epoch into an aware moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def clock_time(at: datetime) -> str:
    """Write the time of day: ``03:12:07 UTC``."""
    return at.astimezone(UTC).strftime("%H:%M:%S UTC")
