"""Wall clocks: which moment a reading means in a time zone, also where the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name.

    Raises:
        ValueError: there is no zone of that name; the message is fit for people.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"has an unknown time zone `{name[:60]}`; write one such as `Europe/Berlin`"
        ) from None


def moments_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """List the moments, in UTC, at which the clock shows ``wall``: one, two, or none where it is skipped."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return (first.astimezone(UTC),)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        return ()
    return first.astimezone(UTC), second.astimezone(UTC)


def end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find the moment, in UTC, at which the clock skips ``wall``, which it never shows."""
    # The moment lies between the two readings that Python gives of a time that does not exist.
    low = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(second=0, microsecond=0)  # zones change on whole minutes


def first_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find the first moment, in UTC, at which the clock shows ``wall``, or skips it."""
    moments = moments_of(wall, zone)
    return moments[0] if moments else end_of_gap(wall, zone)


def last_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find the last moment, in UTC, at which the clock shows ``wall``, or skips it."""
    moments = moments_of(wall, zone)
    return moments[-1] if moments else end_of_gap(wall, zone)
