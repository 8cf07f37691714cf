"""Measurements of both sides: fail, pass, or say that neither is sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.canary.samples import judge_samples
from bot.domain.rollouts.judging import SampleMetric
from bot.domain.rollouts.verdict import MetricOutcome

FAIL, PASS, UNSURE = MetricOutcome.FAIL, MetricOutcome.PASS, MetricOutcome.INCONCLUSIVE


def judge(canary, stable, **options):
    return judge_samples(
        SampleMetric.model_validate({"name": "latency", "canary": canary, "stable": stable, **options})
    )


def noisy(mean, *, size=60, seed=1):
    return np.random.default_rng(seed).normal(mean, mean * 0.1, size).tolist()


def test_a_latency_half_as_long_again_fails_and_says_how_sure_that_is():
    found = judge(noisy(0.15, seed=2), noisy(0.1), unit="s")
    assert (found.outcome, found.reason) == (FAIL, "shifted_up")
    assert found.interval is not None
    assert found.interval.low is not None
    assert found.interval.low < 0.05 < found.interval.high
    assert found.text.startswith("latency on the canary: +5")
    assert "98 % sure" in found.text


def test_an_equal_latency_passes():
    assert judge(noisy(0.1, seed=2), noisy(0.1)).outcome is PASS


def test_between_tolerated_and_harmful_it_passes_if_harm_is_ruled_out():
    assert judge(noisy(0.104, seed=2), noisy(0.1)).outcome is PASS


@pytest.mark.parametrize("factor", [1e-6, 1e-12, 3e7])
@pytest.mark.parametrize("mean", [10.0, 10.5, 11.0, 14.0, 20.0])
def test_the_verdict_does_not_depend_on_the_unit(factor, mean):
    """Kayenta's root finder misjudges small-scale metrics by its absolute tolerance."""
    canary, stable = noisy(mean, seed=2), noisy(10.0)
    small = judge([x * factor for x in canary], [x * factor for x in stable])
    assert small.outcome is judge(canary, stable).outcome


@pytest.mark.parametrize(
    ("direction", "up", "down"), [("increase", FAIL, PASS), ("decrease", PASS, FAIL), ("either", FAIL, FAIL)]
)
def test_only_the_direction_that_harms_fails(direction, up, down):
    assert judge(noisy(20.0, seed=2), noisy(10.0), direction=direction).outcome is up
    assert judge(noisy(5.0, seed=2), noisy(10.0), direction=direction).outcome is down


@given(st.floats(1.0, 4.0), st.floats(0.0, 2.0))
def test_a_larger_shift_is_never_judged_better(times, more):
    order = [PASS, UNSURE, FAIL]
    canary = np.array(noisy(10.0, size=20, seed=2))
    first = judge((canary * times).tolist(), noisy(10.0, size=20)).outcome
    second = judge((canary * (times + more)).tolist(), noisy(10.0, size=20)).outcome
    assert order.index(second) >= order.index(first)


def test_nothing_on_a_side_is_no_data_and_never_a_pass():
    for canary, stable in (([], [1.0] * 20), ([1.0] * 20, []), ([], []), ([None] * 20, [1.0] * 20)):
        assert judge(canary, stable).outcome is MetricOutcome.NO_DATA


def test_nan_is_no_data_and_never_a_pass():
    assert judge(["NaN"] * 20, [1.0] * 20).outcome is MetricOutcome.NO_DATA
    assert judge([float("nan")] * 20, [1.0] * 20).outcome is MetricOutcome.NO_DATA
    mostly = judge([1.0] * 12 + [None] * 13, [1.0] * 25)
    assert (mostly.outcome, mostly.reason) == (MetricOutcome.NO_DATA, "mostly_missing")


def test_a_few_gaps_are_left_out():
    assert judge([*noisy(10.0, seed=2), None, "NaN"], noisy(10.0)).outcome is PASS


@pytest.mark.parametrize("value", ["+Inf", "-Inf", float("inf"), 1e301])
def test_an_infinite_sample_is_an_error_and_never_a_pass(value):
    found = judge([*noisy(10.0, seed=2), value], noisy(10.0))
    assert (found.outcome, found.reason) == (MetricOutcome.ERROR, "infinite")


def test_constant_series_are_judged_by_what_they_are():
    assert judge([5.0] * 20, [5.0] * 20).outcome is PASS
    assert judge([9.0] * 20, [5.0] * 20).outcome is FAIL
    assert judge([0.0] * 20, [0.0] * 20).outcome is PASS


def test_too_few_samples_are_waited_for():
    found = judge([1.0] * 4, [1.0] * 20, interval_s=15)
    assert (found.outcome, found.reason) == (UNSURE, "too_few_samples")
    assert (found.have, found.needed, found.wait_s) == (4, 10, 90)
    assert found.text == "4 of 10 samples needed on each side, about 1 min 30 s"


def test_a_stable_of_nothing_but_zeros_has_no_silent_pass():
    """Reported against Kayenta: errors on the canary alone were passed."""
    errors = [0, 0.048, 0, 0.18, 0.089, 0, 0.098, 0.035, 0, 0]
    assert judge(errors, [0.0] * 10).outcome is UNSURE
    assert judge([value + 0.01 for value in errors], [0.0] * 10).outcome is FAIL
    assert judge(errors, [0.0] * 10, tolerated_shift=0.01, harmful_shift=0.2).outcome is PASS


def test_samples_that_hang_together_make_no_false_alarm():
    """AR(1) with 0.9: uncorrected, a quarter of all equal pairs would fail."""
    rng = np.random.default_rng(11)

    def series():
        values = [rng.normal()]
        for shock in rng.normal(0, 0.19**0.5, 59):
            values.append(0.9 * values[-1] + shock)
        return [10 + 2 * value for value in values]

    pairs = [(series(), series()) for _ in range(100)]
    corrected = [judge(*pair, direction="either").outcome for pair in pairs]
    assert corrected.count(FAIL) <= 5
    trusting = [judge(*pair, direction="either", independent=True).outcome for pair in pairs]
    assert trusting.count(FAIL) >= 15


def test_planned_looks_share_the_risk():
    once = judge(noisy(10.0, seed=2), noisy(10.0))
    often = judge(noisy(10.0, seed=2), noisy(10.0), planned_looks=10)
    assert once.interval is not None
    assert often.interval is not None
    assert often.interval.confidence == pytest.approx(0.998)
    assert often.interval.high > once.interval.high


def test_where_independent_samples_are_too_few_the_ends_are_open():
    trend = [float(value) for value in range(12)]
    found = judge(trend, trend)
    assert found.outcome is UNSURE
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (None, None)
    assert "too few independent samples" in found.text
