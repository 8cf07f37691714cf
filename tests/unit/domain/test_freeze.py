"""Nothing starts inside a freeze window, by the wall clock, also when that is changed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.deployments.freeze import WEEKDAYS, Freeze, rule_freeze

# Six zones with the days, in 2026, on which each clock is put forward and back, and the hours around it.
ZONES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Santiago": ("2026-09-06", "2026-04-05"),  # at midnight: a day begins at 01:00
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),  # by half an hour
    "Africa/Cairo": ("2026-04-24", "2026-10-29"),  # at midnight; back, the date as well
}
SOON = timedelta(minutes=1)


def freeze(begin: str, end: str, *, zone: str = "Europe/Berlin", **more: object) -> Freeze:
    entry = {
        "id": "quiet",
        "reason": "Few people are around.",
        "time_zone": zone,
        "from": begin,
        "until": end,
    }
    return Freeze.model_validate({**entry, **more})


def at(wall: str, *, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def is_frozen(moment: datetime, *freezes: Freeze) -> bool:
    return rule_freeze(freezes, at=moment).verdict == "reject"


def shown(moment: datetime, zone: str) -> datetime:
    """What the clock on the wall shows: the oracle knows windows by nothing else."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def within_a_day(wall: datetime, begin: str, end: str) -> bool:
    clock = f"{wall:%H:%M}"
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def clock_changes_near(moment: datetime, zone: str) -> bool:
    near = (moment + timedelta(hours=hours) for hours in (-3, 3))
    return len({other.astimezone(ZoneInfo(zone)).utcoffset() for other in near}) > 1


@pytest.mark.parametrize(
    ("begin", "end", "inside", "outside"),
    [
        ("22:00", "06:00", ["2026-11-24 22:00", "2026-11-25 05:59"], ["2026-11-24 21:59", "2026-11-25 06:00"]),
        ("fri 16:00", "mon 08:00", ["2026-11-27 16:00", "2026-11-30 07:59"], ["2026-11-27 15:59", "2026-11-30 08:00"]),
        ("mon 10:00", "mon 09:00", ["2026-11-23 10:00", "2026-11-30 08:59"], ["2026-11-30 09:30"]),
        ("2026-12-20 00:00", "2026-12-31 24:00", ["2026-12-20 00:00", "2026-12-31 23:59"], ["2026-12-19 23:59", "2027-01-01 00:00"]),
    ],
    ids=["daily over midnight", "weekly", "all week but an hour", "once"],
)  # fmt: skip
def test_a_window_holds_from_its_first_moment_to_just_before_its_last(begin, end, inside, outside):
    window = freeze(begin, end)
    assert [is_frozen(at(wall), window) for wall in inside] == [True] * len(inside)
    assert [is_frozen(at(wall), window) for wall in outside] == [False] * len(outside)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [0, 1], ids=["forward", "back"])
@pytest.mark.parametrize(("begin", "end"), [("00:15", "01:45"), ("01:30", "02:10"), ("23:30", "02:30")])
def test_whenever_the_clock_shows_a_time_of_the_window_it_is_frozen(zone, change, begin, end):
    window, middle = freeze(begin, end, zone=zone), at(ZONES[zone][change] + " 12:00", zone="UTC")
    for minutes in range(-36 * 60, 36 * 60):
        moment = middle + timedelta(minutes=minutes)
        if within_a_day(shown(moment, zone), begin, end):
            assert is_frozen(moment, window), moment


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [0, 1], ids=["forward", "back"])
def test_what_is_frozen_on_top_is_only_within_an_hour_that_the_clock_changes(zone, change):
    window, middle = freeze("23:30", "02:30", zone=zone), at(ZONES[zone][change] + " 12:00", zone="UTC")
    extra = [
        moment
        for minutes in range(-36 * 60, 36 * 60)
        if is_frozen(moment := middle + timedelta(minutes=minutes), window)
        and not within_a_day(shown(moment, zone), "23:30", "02:30")
    ]
    assert len(extra) <= 60
    assert change == 1 or extra == []


def test_a_window_that_begins_in_a_skipped_hour_begins_when_it_is_skipped():
    window = freeze("02:30", "04:00")
    assert not is_frozen(at("2026-03-29 01:59"), window)
    assert is_frozen(at("2026-03-29 01:59") + SOON, window)  # 03:00 on the wall
    assert not is_frozen(at("2026-03-29 04:00"), window)


def test_a_window_that_ends_in_a_skipped_hour_ends_when_it_is_skipped():
    window = freeze("01:00", "02:30")
    assert is_frozen(at("2026-03-29 01:59"), window)
    assert not is_frozen(at("2026-03-29 03:00"), window)


def test_a_window_within_an_hour_that_comes_twice_holds_until_it_has_ended_for_the_second_time():
    window = freeze("02:10", "02:40")
    assert [is_frozen(at(f"2026-10-25 02:{minute}", fold=fold), window) for fold in (0, 1) for minute in ("09", "10", "39")] \
        == [False, True, True, True, True, True]  # fmt: skip
    assert not is_frozen(at("2026-10-25 02:40", fold=1), window)


def test_of_ten_thousand_requests_none_starts_inside_a_window_and_the_others_do():
    lots = random.Random(4)
    begun = 0
    for _ in range(10_000):
        zone = lots.choice(list(ZONES))
        first, second = lots.sample(range(24 * 4), 2)
        begin, end = (f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (first, second))
        days = lots.sample(WEEKDAYS, lots.randint(1, 7))
        around = at(lots.choice(ZONES[zone]) + " 12:00", zone="UTC")
        moment = around + timedelta(minutes=lots.randint(-3000, 3000))
        wall = shown(moment, zone)
        began_on = wall - timedelta(days=1) if begin > end and f"{wall:%H:%M}" < end else wall
        inside = within_a_day(wall, begin, end) and WEEKDAYS[began_on.weekday()] in days
        starts = not is_frozen(moment, freeze(begin, end, zone=zone, days=days))
        assert not (starts and inside), (zone, begin, end, days, moment)
        begun += starts
        assert starts or inside or clock_changes_near(moment, zone), (zone, begin, end, days, moment)
    assert 3_000 < begun < 9_000


def test_of_ten_thousand_requests_none_starts_inside_a_weekly_window_and_the_others_do():
    lots = random.Random(5)
    begun = 0
    for _ in range(10_000):
        zone = lots.choice(list(ZONES))
        first, second = lots.sample(range(7 * 24 * 4), 2)
        begin, end = (week_time(quarter * 15) for quarter in (first, second))
        around = at(lots.choice(ZONES[zone]) + " 12:00", zone="UTC")
        moment = around + timedelta(minutes=lots.randint(-6000, 6000))
        now = week_minute(shown(moment, zone))
        inside = first * 15 <= now < second * 15 if first < second else now >= first * 15 or now < second * 15
        starts = not is_frozen(moment, freeze(begin, end, zone=zone))
        assert not (starts and inside), (zone, begin, end, moment)
        begun += starts
        assert starts or inside or clock_changes_near(moment, zone), (zone, begin, end, moment)
    assert 3_000 < begun < 7_000


def week_minute(wall: datetime) -> int:
    return wall.weekday() * 1440 + wall.hour * 60 + wall.minute


def week_time(minute: int) -> str:
    return f"{WEEKDAYS[minute // 1440]} {minute % 1440 // 60:02}:{minute % 60:02}"


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants them bare
    zone=st.sampled_from(list(ZONES)),
    begin=st.sampled_from(["mon 00:00", "fri 16:30", "sun 02:15"]),
    end=st.sampled_from(["mon 08:00", "tue 02:30", "sun 01:00"]),
)
def test_it_is_frozen_until_the_end_that_was_told_and_not_a_moment_longer(moment, zone, begin, end):
    window = freeze(begin, end, zone=zone)
    ruling = rule_freeze([window], at=moment)
    if ruling.verdict == "reject":
        assert is_frozen(ruling.until - timedelta(microseconds=1), window)
        assert not is_frozen(ruling.until, window)


def test_an_exception_opens_a_window_for_a_while_and_is_the_end_that_is_told():
    pause = {"from": "2026-11-28 10:00", "until": "2026-11-28 12:00", "reason": "The bank moves."}
    window = freeze("fri 16:00", "mon 08:00", **{"except": [pause]})
    assert rule_freeze([window], at=at("2026-11-28 09:00")).until == at("2026-11-28 10:00")
    assert not is_frozen(at("2026-11-28 10:00"), window)
    assert is_frozen(at("2026-11-28 12:00"), window)


def test_the_end_that_is_told_is_that_of_all_freezes_that_follow_without_a_gap():
    weekend, fair = (
        freeze("fri 16:00", "mon 08:00"),
        freeze("2026-11-30 07:00", "2026-12-01 18:00", id="fair"),
    )
    ruling = rule_freeze([fair, weekend], at=at("2026-11-28 09:00"))
    assert ruling.until == at("2026-12-01 18:00")
    assert "Few people are around." in ruling.why
    assert "2026-12-01 18:00 (Europe/Berlin)" in ruling.why


def test_a_freeze_without_an_end_is_said_to_have_none():
    ruling = rule_freeze([freeze("00:00", "24:00")], at=at("2026-11-24 12:00"))
    assert (ruling.verdict, ruling.until) == ("reject", None)
    assert "No end is scheduled." in ruling.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"from": "25:00"}, "is not a valid time; write one such as"),
        ({"from": "fri 16:00"}, "must both be"),
        ({"from": "06:00"}, "would never end"),
        ({"from": "2026-02-30 10:00", "until": "2026-03-01 10:00"}, "does not exist"),
        ({"from": "2026-03-02 10:00", "until": "2026-03-01 10:00"}, "ends before it begins"),
        ({"from": "fri 16:00", "until": "mon 08:00", "days": ["fri"]}, "daily freeze"),
        ({"days": []}, "at least one day"),
        ({"time_zone": "Mars/Olympus"}, "has an unknown time zone"),
        ({"reason": " "}, "at least 1 character"),
        ({"except": [{"from": "10:00", "until": "12:00", "reason": "x"}]}, "from one date to another"),
    ],
)
def test_what_is_no_freeze_is_told_in_words(change, said):
    entry = {"id": "x", "reason": "y", "time_zone": "UTC", "from": "22:00", "until": "06:00"}
    with pytest.raises(ValidationError, match=said):
        Freeze.model_validate({**entry, **change})


def test_a_freeze_needs_a_time_zone_and_a_reason():
    with pytest.raises(ValidationError) as refused:
        Freeze.model_validate({"id": "x", "from": "22:00", "until": "06:00"})
    assert {error["loc"] for error in refused.value.errors()} == {("reason",), ("time_zone",)}
