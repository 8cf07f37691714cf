"""A version has proved itself in staging only if it became the stable one there, stayed, and was not taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.deployments.staging import last_span, rule_staging
from bot.domain.diagnoses.change import Change

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
THERE = "checkout@staging"


def change(minute: int, *, serves: str = "", kind: str = "deploy", version: str = "") -> Change:
    told = {"serves": serves, "version": version or serves}
    return Change(
        id=f"c{minute}",
        at=NOON + timedelta(minutes=minute),
        kind=kind,
        service=THERE,
        summary="x",
        data={key: value for key, value in told.items() if value},
    )


def code(*changes: Change, after_minutes: int = 60, soak_m: int = 30) -> str:
    at = NOON + timedelta(minutes=after_minutes)
    return rule_staging(THERE, "2", changes, at=at, soak_s=60 * soak_m).code


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([], "not_in_staging"),
        ([change(0, version="2")], "not_in_staging"),
        ([change(0, serves="20")], "not_in_staging"),
        ([change(0, serves="2")], "open"),
        ([change(40, serves="2")], "soak_too_short"),
        ([change(0, serves="2"), change(30, serves="3")], "open"),
        ([change(0, serves="2"), change(29, serves="3")], "soak_too_short"),
        ([change(0, serves="2"), change(40, serves="1", kind="rollback")], "not_in_staging"),
        ([change(0, serves="2"), change(40, kind="rollback")], "open"),
        ([change(0, serves="2"), change(40, serves="2", kind="rollback")], "open"),
        ([change(0, serves="2"), change(50, serves="1", kind="rollback"), change(55, serves="2")], "soak_too_short"),
        ([change(0, serves="3"), change(10, serves="2", kind="rollback")], "open"),
        ([change(30, serves="3"), change(0, serves="2")], "open"),
    ],
    ids=["never there", "a candidate only", "another of a like name", "serves", "just came", "served long enough",
         "was replaced too soon", "taken back", "another candidate was given up", "brought back while it served",
         "is there again since a moment", "came back by a rollback", "told in any order"],
)  # fmt: skip
def test_only_the_last_time_there_counts(changes, found):
    assert code(*changes) == found


def test_whoever_waits_is_told_until_when():
    at = NOON + timedelta(minutes=10)
    ruling = rule_staging(THERE, "2", [change(0, serves="2")], at=at, soak_s=1800)
    assert ruling.until == NOON + timedelta(minutes=30)
    assert ruling.why == (
        "2 served at checkout@staging from 2026-11-24 12:00 UTC and still does. It must serve there for 30 min."
    )
    gone = rule_staging(THERE, "2", [change(0, serves="2"), change(5, serves="3")], at=at, soak_s=1800)
    assert gone.until is None
    assert "`/deploy canary checkout 2 staging`" in gone.way_out


def test_a_version_that_serves_through_retries_serves_since_the_first():
    span = last_span("2", [change(0, serves="2"), change(9, serves="2")])
    assert (span.since, span.until) == (NOON, None)
