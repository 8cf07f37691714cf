"""Ranks among differences, and the interval of a shift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.canary import selection
from bot.canary.selection import difference_at
from bot.canary.shift import autocorrelation, inflation, midranks, shift_between, student, variance

# What is so small that its square, or a thousandth of a millionth of it, is no float any more has no unit.
NUMBERS = st.one_of(
    st.floats(-1e6, 1e6).map(lambda x: 0.0 if abs(x) < 1e-100 else x),
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]),
)
SAMPLES = st.lists(NUMBERS, min_size=1, max_size=25).map(np.array)


@pytest.mark.parametrize("direct", [0, 1 << 17])
@given(x=SAMPLES, y=SAMPLES, data=st.data())
def test_a_rank_is_that_of_all_differences_sorted(direct, x, y, data):
    rank = data.draw(st.integers(0, x.size * y.size - 1))
    expected = np.sort(np.subtract.outer(x, y).ravel())[rank]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "DIRECT", direct)
        assert difference_at(x, y, ranks=(rank,)) == (expected,)


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_a_rank_of_many_differences_is_exact_ties_and_all(digits):
    rng = np.random.default_rng(3)
    x, y = np.round(rng.normal(size=700), digits), np.round(rng.normal(size=450), digits)
    ranks = (0, 999, 157_500, 314_999)
    expected = np.sort(np.subtract.outer(x, y).ravel())[list(ranks)]
    assert difference_at(x, y, ranks=ranks) == tuple(expected)


def test_a_known_interval_comes_out():
    """The published case of a judge that uses the same interval."""
    canary, stable = np.array([10.0, 20, 30, 40]), np.array([1.0, 2, 3, 4])
    found = shift_between(canary, stable, confidence=0.95, independent=True)
    assert (found.low, found.high, found.estimate) == (6.0, 39.0, 22.5)


def test_so_few_samples_cannot_be_that_sure():
    found = shift_between(np.array([9.0, 9, 9]), np.array([1.0, 1.1, 1.2]), confidence=0.98, independent=True)
    assert (found.low, found.high) == (None, None)


def test_ties_share_the_mean_of_their_ranks():
    ranks, ties = midranks(np.array([3.0, 1, 3, 2]))
    assert ranks.tolist() == [3.5, 1, 3.5, 2]
    assert sorted(ties) == [1, 1, 2]


def test_ties_lessen_the_variance_and_nothing_but_ties_leaves_none():
    untied = variance(5, 5, np.ones(10))
    assert untied == pytest.approx(25 / 12 * 11)
    assert variance(5, 5, np.array([2.0, 2, 2, 2, 2])) < untied
    assert variance(5, 5, np.array([10.0])) == 0


@given(x=SAMPLES, y=SAMPLES)
def test_two_sides_exchanged_turn_the_interval_over(x, y):
    there = shift_between(x, y, confidence=0.9, independent=True)
    back = shift_between(y, x, confidence=0.9, independent=True)
    assert there.estimate == pytest.approx(-back.estimate)
    assert (there.low is None) == (back.high is None)
    if there.low is not None and back.high is not None:
        assert there.low == -back.high


@given(x=SAMPLES, y=SAMPLES, power=st.integers(-30, 30))
def test_a_change_of_unit_changes_the_unit_and_nothing_else(x, y, power):
    factor = 2.0**power
    plain = shift_between(x, y, confidence=0.9)
    scaled = shift_between(x * factor, y * factor, confidence=0.9)
    assert scaled.estimate == pytest.approx(plain.estimate * factor)
    assert scaled.effective_canary == plain.effective_canary
    if plain.low is None:
        assert scaled.low is None
    else:
        assert scaled.low == plain.low * factor


@given(x=SAMPLES, y=SAMPLES, seed=st.integers(0, 9))
def test_the_order_of_independent_samples_does_not_matter(x, y, seed):
    mixed = np.random.default_rng(seed).permutation(x)
    assert shift_between(x, y, confidence=0.9, independent=True) == shift_between(
        mixed, y, confidence=0.9, independent=True
    )


def test_samples_that_hang_together_are_worth_fewer():
    rng = np.random.default_rng(5)
    walk = [0.0]
    for shock in rng.normal(size=399):
        walk.append(0.8 * walk[-1] + shock)
    assert autocorrelation(np.array(walk)) == pytest.approx(0.8, abs=0.1)
    assert inflation(np.array(walk)) == pytest.approx(9, rel=0.5)
    together = shift_between(np.array(walk[:200]), np.array(walk[200:]), confidence=0.98)
    assert together.effective_canary < 60


def test_samples_that_swing_are_worth_no_more_than_they_are():
    assert inflation(np.array([1.0, 2.0] * 20)) == 1


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0], [4.0] * 50])
def test_a_series_without_variation_or_length_has_no_autocorrelation(series):
    with np.errstate(all="raise"):
        assert autocorrelation(np.array(series)) == 0


@pytest.mark.parametrize(("freedom", "expected"), [(4, 3.747), (10, 2.764), (30, 2.457), (1e9, 2.326)])
def test_students_quantile_is_that_of_the_tables(freedom, expected):
    assert student(2.3263, freedom=freedom) == pytest.approx(expected, rel=0.01)
