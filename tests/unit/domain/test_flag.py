"""A flag answers everybody the same each time, and a ramp only ever adds people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deployments.flag import EvaluationContext, Flag, bucket, evaluate


def on(percent: int, who: str, *, key: str = "new-cart") -> bool:
    return evaluate(Flag(key=key, percent=percent), EvaluationContext(targeting_key=who), default=False).value


@given(who=st.text(min_size=1, max_size=40), low=st.integers(0, 100), more=st.integers(0, 100))
def test_whoever_has_a_flag_keeps_it_when_it_is_ramped_up(who, low, more):
    if on(low, who):
        assert on(min(100, low + more), who)


@given(who=st.text(max_size=40))
def test_none_and_all_mean_nobody_and_everybody(who):
    assert not on(0, who)
    assert on(100, who)


def test_a_share_of_the_people_has_it_and_not_the_same_ones_for_each_flag():
    people = [f"user-{number}" for number in range(10_000)]
    having = {who for who in people if on(20, who)}
    assert 1_850 < len(having) < 2_150  # 20 % within 3.75 standard deviations
    other = {who for who in people if on(20, who, key="other")}
    assert 300 < len(having & other) < 500  # as chance has it: 400


def test_a_place_does_not_change_from_one_release_of_the_bot_to_the_next():
    assert bucket("new-cart", "ana") == pytest.approx(10.128897569752729)  # by sha256sum
