"""Schedules in the five fields of cron, by the wall clock of a time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.wall_clock import end_of_gap, moments_of, zone_of

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")
_MOST_DAYS = 9 * 366
"""How far ahead a slot is looked for: 29 February may be eight years away."""


@dataclass(frozen=True, kw_only=True)
class Cron:
    """When to look, by the wall clock of ``zone``.

    Where the clock is put forward, a fixed hour that does not exist is made up for right after the gap.
    Where it is put back, a fixed hour counts the first time only; with ``*`` as the hour, both count.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    every_hour: bool
    any_day: bool
    any_weekday: bool
    zone: ZoneInfo

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """List the moments after ``after``, up to and with ``until``, in UTC and in order."""
        day = after.astimezone(self.zone).date() - timedelta(days=1)
        last = until.astimezone(self.zone).date()
        while day <= last:
            yield from (moment for moment in self._moments(day) if after < moment <= until)
            day += timedelta(days=1)

    def next(self, after: datetime) -> datetime | None:
        """Find the first moment after ``after``; none if there is none within nine years."""
        day = after.astimezone(self.zone).date() - timedelta(days=1)
        for number in range(_MOST_DAYS):
            moments = self._moments(day + timedelta(days=number))
            found = next((moment for moment in moments if moment > after), None)
            if found is not None:
                return found
        return None

    def _moments(self, day: date) -> list[datetime]:
        if not self._matches(day):
            return []
        walls = (datetime.combine(day, time(hour, minute)) for hour in self.hours for minute in self.minutes)
        return sorted({moment for wall in walls for moment in self._in_utc(wall)})

    def _matches(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        # Cron's own rule: where both are restricted, either is enough.
        return by_day and by_weekday if self.any_day or self.any_weekday else by_day or by_weekday

    def _in_utc(self, wall: datetime) -> tuple[datetime, ...]:
        moments = moments_of(wall, self.zone)
        if not moments:
            return () if self.every_hour else (end_of_gap(wall, self.zone),)
        return moments if self.every_hour else moments[:1]


def parse_cron(text: str, *, zone: str = "UTC") -> Cron:
    """Parse ``minute hour day month weekday``: numbers, ranges, lists, ``*`` and steps.

    Raises:
        ValueError: it is not a schedule, never comes, or the zone is unknown; the message is fit for people.
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError("needs five fields: minute, hour, day, month, weekday")
    minutes, hours, days, months, weekdays = (
        _values(word, *field) for word, field in zip(words, _FIELDS, strict=True)
    )
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(value % 7 for value in weekdays),
        every_hour=words[1].startswith("*"),
        any_day=words[2].startswith("*"),
        any_weekday=words[4].startswith("*"),
        zone=zone_of(zone),
    )
    if cron.next(datetime(2024, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("names a date that never occurs")
    return cron


def _values(word: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"has an invalid {name} in `{part[:20]}`")
        first, last, step = (int(group) if group else None for group in found.groups())
        start = low if first is None else first
        open_ended = first is None or (last is None and step is not None)
        end = high if open_ended else (start if last is None else last)
        if not low <= start <= end <= high or step == 0:
            raise ValueError(f"has a {name} outside {low} to {high} in `{part[:20]}`")
        values.update(range(start, end + 1, step or 1))
    return frozenset(values)
