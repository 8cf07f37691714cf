"""Freeze windows: when nothing is deployed, by the wall clock of a time zone, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from bot.domain.deployments.gate import GateResult, proceed, reject
from bot.domain.model import Model, Name
from bot.domain.wall_clock import first_at, last_at, zone_of

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
MOST_REASON = 300
"""The longest reason, in characters."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_REASON)]

_READING = re.compile(
    rf"(?:(?P<weekday>{'|'.join(WEEKDAYS)}) |(?P<date>\d{{4}}-\d\d-\d\d)[ t])?"
    r"(?:(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)|24:00)"
)
_FORMS = "is not a valid time; write one such as `16:00`, `fri 16:00` or `2026-12-20 16:00`"
_MOST_LINKS = 100
"""This many windows in a row, each beginning before the last has ended, count as a freeze without an end."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A reading of the clock: of any day, of a weekday, or of one date."""

    day: int | date | None
    clock: timedelta

    @property
    def form(self) -> str:
        return "daily" if self.day is None else "weekly" if isinstance(self.day, int) else "once"

    def on(self, day: date) -> datetime:
        return datetime.combine(day, time()) + self.clock


def _read(text: str) -> _Reading:
    found = _READING.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"`{text[:40]}` {_FORMS}")
    clock = timedelta(hours=int(found["hour"] or 24), minutes=int(found["minute"] or 0))
    if found["weekday"]:
        return _Reading(day=_weekday(found["weekday"]), clock=clock)
    if not found["date"]:
        return _Reading(day=None, clock=clock)
    try:
        return _Reading(day=date.fromisoformat(found["date"]), clock=clock)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is a day that does not exist") from None


def _weekday(word: str) -> int:
    return next(number for number, name in enumerate(WEEKDAYS) if name == word)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time without deployments, in UTC; ``ends`` is not part of it."""

    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """Return whether a moment is within."""
        return self.begins <= at < self.ends


class _Span(Model):
    begin: str = Field(alias="from")
    end: str = Field(alias="until")

    def _readings(self) -> tuple[_Reading, _Reading]:
        return _read(self.begin), _read(self.end)


class Exemption(_Span):
    """A time, from date to date, in which a freeze does not hold."""

    reason: Reason

    @model_validator(mode="after")
    def _check(self) -> Self:
        begin, end = self._readings()
        if (begin.form, end.form) != ("once", "once"):
            raise ValueError("an exception goes from one date to another, such as `2026-12-20 16:00`")
        _in_order(begin, end)
        return self


class Freeze(_Span):
    """A freeze: every day, every week or once; from the first moment to just before the last.

    ``from`` and ``until`` are readings of the clock of ``time_zone``.  A freeze begins when the clock shows
    the first for the first time and ends when it shows the other for the last time, so that an hour that
    comes twice is frozen both times; a reading that the clock skips counts when it is skipped.
    """

    id: Name
    reason: Reason
    time_zone: str
    days: frozenset[Weekday] = frozenset(WEEKDAYS)
    """On which days a daily freeze begins."""
    exceptions: tuple[Exemption, ...] = Field(default=(), alias="except")

    @model_validator(mode="after")
    def _check(self) -> Self:
        zone_of(self.time_zone)
        begin, end = self._readings()
        if begin.form != end.form:
            raise ValueError(
                "`from` and `until` must both be a time of day, a time on a weekday, or a time on a date"
            )
        if begin.form == "once":
            _in_order(begin, end)
        elif begin == end:
            raise ValueError("would never end; for whole days write `from: '00:00'` and `until: '24:00'`")
        if not self.days or (begin.form != "daily" and len(self.days) < len(WEEKDAYS)):
            raise ValueError(
                "`days` is for daily freezes only, and needs at least one day on which they begin"
            )
        return self

    def window_at(self, at: datetime) -> Window | None:
        """Find the window that a moment is in; none if it is in none, or in an exception."""
        breaks = [self._in_utc(*_dated(exception)) for exception in self.exceptions]
        if any(pause.holds(at) for pause in breaks):
            return None
        around = [window for window in self._near(at) if window.holds(at)]
        if not around:
            return None
        ends = max(window.ends for window in around)
        return Window(
            begins=min(window.begins for window in around),
            ends=min([ends, *(pause.begins for pause in breaks if pause.begins > at)]),
        )

    def _near(self, at: datetime) -> Iterator[Window]:
        """List the windows that may be open at a moment."""
        begin, end = self._readings()
        if begin.form == "once":
            yield self._in_utc(*_dated(self))
            return
        today = at.astimezone(zone_of(self.time_zone)).date()
        # Nine days: a weekly window lasts seven at most, and the clock's date may be put back by one.
        for back in range(-1, 9):
            day = today - timedelta(days=back)
            if self._begins_on(day, begin):
                yield self._in_utc(begin.on(day), end.on(day + _later(begin, end)))

    def _begins_on(self, day: date, begin: _Reading) -> bool:
        return WEEKDAYS[day.weekday()] in self.days if begin.day is None else day.weekday() == begin.day

    def _in_utc(self, begin: datetime, end: datetime) -> Window:
        zone = zone_of(self.time_zone)
        return Window(begins=first_at(begin, zone), ends=last_at(end, zone))


class GlobalFreeze(Freeze):
    """A freeze of all services in some environments."""

    environments: frozenset[Name] = frozenset({"production"})


def rule_freeze(freezes: Sequence[Freeze], *, at: datetime) -> GateResult:
    """Return whether something may start at a moment; ``until`` is the end of all freezes without a gap."""
    now = [(freeze, window) for freeze in freezes if (window := freeze.window_at(at)) is not None]
    if not now:
        return proceed("freeze", "No freeze is in force.")
    # The one that lasts longest is the one to report.
    freeze, window = max(now, key=lambda pair: pair[1].ends)
    until = _end_of_all(freezes, window.ends)
    end = "No end is scheduled." if until is None else f"It ends {_by_the_clock(until, freeze)}."
    return reject(
        "freeze",
        code="frozen",
        why=f"The freeze `{freeze.id}` is in force ({freeze.begin} to {freeze.end}, {freeze.time_zone}): "
        f"{freeze.reason.rstrip('.')}. {end}",
        way_out="Wait until it ends, have an exception added to the catalogue, or declare an emergency.",
        until=until,
    )


def _end_of_all(freezes: Sequence[Freeze], end: datetime) -> datetime | None:
    for _ in range(_MOST_LINKS):
        following = [window.ends for freeze in freezes if (window := freeze.window_at(end)) is not None]
        if not following:
            return end
        end = max(following)
    return None


def _by_the_clock(at: datetime, freeze: Freeze) -> str:
    return f"{at.astimezone(zone_of(freeze.time_zone)):%a %Y-%m-%d %H:%M} ({freeze.time_zone})"


def _later(begin: _Reading, end: _Reading) -> timedelta:
    """Return how many days after its first day a window ends."""
    if isinstance(begin.day, int) and isinstance(end.day, int):
        days = (end.day - begin.day) % 7
        return timedelta(days=days or (7 if end.clock <= begin.clock else 0))
    return timedelta(days=1 if end.clock <= begin.clock else 0)


def _dated(span: _Span) -> tuple[datetime, datetime]:
    begin, end = span._readings()  # noqa: SLF001  # of this module
    if not isinstance(begin.day, date) or not isinstance(end.day, date):
        raise TypeError(f"{span.begin} is not a date")
    return begin.on(begin.day), end.on(end.day)


def _in_order(begin: _Reading, end: _Reading) -> None:
    if isinstance(begin.day, date) and isinstance(end.day, date) and begin.on(begin.day) >= end.on(end.day):
        raise ValueError("ends before it begins")
