"""Weights never give a candidate more than was asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.targets.haproxy.weights import MOST, share_of, weights_for


@given(percent=st.integers(0, 100), servers=st.integers(1, 40))
def test_a_candidate_gets_what_was_asked_for_or_a_little_less_but_never_more(percent, servers):
    stable = [f"s{number}" for number in range(servers)]
    weights = weights_for(percent, stable=stable, candidate="c")
    share = share_of(weights, ["c"]) * 100
    assert all(0 <= weight <= MOST for weight in weights.values())
    assert share <= percent + 1e-9 or weights["c"] == 1
    assert (share > 0) == (percent > 0)
    if servers <= 2:
        assert abs(share - percent) < 0.5


@given(percent=st.integers(1, 100))
def test_all_of_the_traffic_means_none_for_the_others(percent):
    weights = weights_for(100, stable=["a", "b", "c"], candidate="c0")
    assert [weights[name] for name in "abc"] == [0, 0, 0]
    assert weights["c0"] == MOST
