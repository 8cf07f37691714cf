"""Schedules by the wall clock, over both changes of daylight saving in several zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import parse_cron

# Each zone with the days, in 2026, on which its clock is put forward and back, and an hour that is changed.
ZONES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25", 2),
    "America/New_York": ("2026-03-08", "2026-11-01", 2),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05", 2),
    "Africa/Cairo": ("2026-04-24", "2026-10-29", 0),
}


def around(day: str) -> tuple[datetime, datetime]:
    middle = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    return middle - timedelta(days=3), middle + timedelta(days=3)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [0, 1], ids=["forward", "back"])
@pytest.mark.parametrize("minute", [0, 10, 30, 59])
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_daily_look_comes_once_on_every_day_also_when_the_clock_changes(zone, change, minute, shift):
    hour = (ZONES[zone][2] + shift) % 24
    found = list(parse_cron(f"{minute} {hour} * * *", zone=zone).between(*around(ZONES[zone][change])))
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in found]
    assert len(days) >= 5
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [0, 1], ids=["forward", "back"])
def test_a_look_every_ten_minutes_keeps_its_distance_when_the_clock_changes(zone, change):
    found = list(parse_cron("*/10 * * * *", zone=zone).between(*around(ZONES[zone][change])))
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=10)}


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_an_hour_that_does_not_exist_is_made_up_for_at_the_end_of_the_gap(minute):
    cron = parse_cron(f"{minute} 2 * * *", zone="Europe/Berlin")
    found = cron.next(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 03:00 in Berlin


def test_an_hour_that_comes_twice_counts_the_first_time():
    found = parse_cron("30 2 * * *", zone="Europe/Berlin").next(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_steps_of_minutes_within_an_hour_that_does_not_exist_are_made_up_for_once():
    found = parse_cron("*/20 2 * * *", zone="Europe/Berlin").between(
        datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    )
    assert list(found) == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]  # 03:00 in Berlin


def test_steps_of_minutes_within_an_hour_that_comes_twice_count_the_first_time():
    found = parse_cron("*/20 2 * * *", zone="Europe/Berlin").between(
        datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    )
    assert [f"{moment:%H:%M}" for moment in found] == ["00:00", "00:20", "00:40"]


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants them bare
    text=st.sampled_from(["*/7 * * * *", "5 2 * * *", "0 0 1 * *", "15,45 9-17 * * 1-5", "0 3 13 * 5"]),
    zone=st.sampled_from(list(ZONES)),
)
def test_the_next_moment_is_the_first_of_those_between(at, text, zone):
    cron = parse_cron(text, zone=zone)
    found = cron.next(at)
    assert found is not None
    assert list(cron.between(at, found)) == [found]


def test_a_day_or_a_weekday_is_enough_where_both_are_given():
    found = parse_cron("0 0 13 * 5").between(
        datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    )
    assert [moment.day for moment in found] == [6, 13, 20, 27]


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("* * * *", "UTC", "needs five fields"),
        ("61 * * * *", "UTC", "minute outside 0 to 59"),
        ("* 9-5 * * *", "UTC", "hour outside"),
        ("*/0 * * * *", "UTC", "minute outside"),
        ("x * * * *", "UTC", "has an invalid minute in `x`"),
        ("0 0 30 2 *", "UTC", "names a date that never occurs"),
        ("0 0 * * *", "Mars/Olympus", "has an unknown time zone"),
    ],
)
def test_what_is_no_schedule_is_told_in_words(text, zone, said):
    with pytest.raises(ValueError, match=said):
        parse_cron(text, zone=zone)
