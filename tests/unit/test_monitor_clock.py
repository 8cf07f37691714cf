"""Slots are the same for every clock, and each is claimed once, whatever was missed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.monitor_clock import MonitorClock, due_slots
from bot.domain.monitoring.monitor import Monitor
from bot.testing.records import MemoryMonitorStore
from tests.support.worlds import START, HandClock


def monitor(**more):
    return Monitor.model_validate({"id": "m", "probe": "p.x", "expect": "true", "every": "60s", **more})


@given(
    name=st.text(min_size=1, max_size=30),
    every=st.floats(1, 86_400),
    since=st.integers(0, 4_000_000_000_000),
)
def test_slots_are_an_interval_apart_and_do_not_depend_on_when_one_asks(name, every, since):
    watched = monitor(every=every)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    first = watched.next_slot(name, after=at)
    second = watched.next_slot(name, after=first)
    assert at < first <= at + timedelta(milliseconds=round(every * 1000))
    assert second - first == timedelta(milliseconds=round(every * 1000))
    assert watched.next_slot(name, after=second - timedelta(milliseconds=1)) == second


def test_monitors_of_one_interval_are_spread_over_it():
    slots = [monitor().next_slot(f"s/{number}", after=START) for number in range(1000)]
    per_second = [sum(1 for slot in slots if int((slot - START).total_seconds()) == s) for s in range(60)]
    assert max(per_second) < 50


@pytest.mark.parametrize(("policy", "made_up"), [("skip", 0), ("once", 1), ("all", 10)])
def test_missed_slots_follow_the_stated_policy(policy, made_up):
    watched = monitor(missed=policy)
    last = watched.next_slot("s/m", after=START)
    now = last + timedelta(seconds=10 * 60 + 30)
    slots = due_slots(watched, "s/m", last_s=last.timestamp(), now=now)
    assert len(slots) == made_up
    assert all(slot > last.timestamp() for slot in slots)
    on_time = last + timedelta(seconds=60)
    assert due_slots(watched, "s/m", last_s=last.timestamp(), now=on_time) == [on_time.timestamp()]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)])
async def test_a_daily_monitor_fires_once_a_day_over_both_changes_of_the_clock(zone, day):
    clock, book = HandClock(day), MemoryMonitorStore()
    watched = monitor(cron="30 2 * * *", time_zone=zone)
    two = [MonitorClock({"s/m": ("s", watched)}, book, clock) for _ in range(2)]
    for each in two:
        await each.begin(AsyncIOScheduler(timezone="UTC"))
    for _ in range(45 * 24 * 2):  # half an hour at a time
        clock.forward(1800)
        for each in two:
            await each.fire("s/m")
    slots = [datetime.fromtimestamp(slot_s, UTC) for _, slot_s in book.fired]
    assert 44 <= len(slots) <= 45
    gaps = [(b - a).total_seconds() / 3600 for a, b in itertools.pairwise(slots)]
    assert all(22.5 <= gap <= 25.5 for gap in gaps)


async def test_a_clock_that_starts_late_makes_up_for_the_latest_slot_and_a_second_one_for_none():
    clock, book = HandClock(), MemoryMonitorStore()
    await book.fire("s/m", [START.timestamp()])
    clock.forward(3600)
    for _ in range(2):
        await MonitorClock({"s/m": ("s", monitor())}, book, clock).begin(AsyncIOScheduler(timezone="UTC"))
    assert len(book.fired) == 2
    assert clock.now().timestamp() - book.fired[-1][1] <= 60
