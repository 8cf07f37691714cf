"""What people say of diagnoses is counted fairly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diagnoses.feedback import (
    AccuracyScore,
    DiagnosisSummary,
    Feedback,
    RatedDiagnosis,
    score,
    span_of,
    week_of,
)
from bot.domain.people import Person
from tests.support.worlds import START


def rated(*opinions):
    said = DiagnosisSummary(run_id="r1", at=START, service="checkout", verdict="cause_found", confidence=0.9)
    words = [Feedback(by=Person(id=f"U{n}"), at=START, opinion=word) for n, word in enumerate(opinions)]
    return RatedDiagnosis(said=said, feedback=tuple(words))


@pytest.mark.parametrize(
    ("opinions", "right"),
    [
        (("right",), True),
        (("wrong",), False),
        (("other",), False),
        (("right", "right", "other"), True),
        (("right", "wrong", "other"), False),
        (("right", "wrong"), None),
    ],
)
def test_most_of_those_who_spoke_decide_and_a_draw_decides_nothing(opinions, right):
    assert rated(*opinions).was_right is right


def test_what_people_disagree_about_is_not_counted():
    told = [rated("right"), rated("right", "wrong"), rated("other")]
    assert score(told) == AccuracyScore(right=1, judged=2)


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [(10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (9, 10, 0.596, 0.982), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(right, judged, low, high):
    assert AccuracyScore(right=right, judged=judged).interval == pytest.approx((low, high), abs=0.001)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis adds the zone
def test_every_moment_lies_in_the_week_of_its_name(moment):
    start, end = span_of(week_of(moment))
    assert start <= moment < end
    assert (end - start, start.weekday()) == (timedelta(days=7), 0)


def test_the_first_days_of_january_may_belong_to_the_year_before():
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"
