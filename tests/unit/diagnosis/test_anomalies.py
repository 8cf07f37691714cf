"""Level shifts: found at their onset, in the direction that hurts, above their floors, and not elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.signals.anomalies import MIN_BEFORE, AnomalyRule, detect

RATIO = AnomalyRule(floor=0.02, half=0.05, limit=0.05)
SECONDS = AnomalyRule(floor=0.1, half=0.3, ratio=2.0, min_after=3)
TRAFFIC = AnomalyRule(direction="down", floor=1.0, half=0.5, relative=True, ratio=2.0)


def look(values, rule=RATIO):
    series = np.asarray(values, dtype=float)
    return detect(np.arange(series.size, dtype=float), series, rule=rule)


def noisy(level, count, *, sigma, seed=1):
    return level + np.random.default_rng(seed).normal(0, sigma, count)


def test_a_step_is_found_at_its_first_sample():
    found = look([0.0] * 60 + [0.35] * 5)
    assert found is not None
    assert (found.onset_s, found.baseline, found.value) == (60.0, 0.0, 0.35)
    assert found.strength == pytest.approx(0.35 / 0.40)


@pytest.mark.parametrize("after", [2, 10, 100, 400])
def test_the_onset_is_found_however_long_it_lasts(after):
    found = look([*noisy(0.005, 100, sigma=0.002), *noisy(0.35, after, sigma=0.02, seed=2)])
    assert found is not None
    assert abs(found.onset_s - 100) <= 1


def test_a_series_that_is_always_the_same_is_calm():
    assert look([0.01] * 200) is None
    assert look([0.0] * 200) is None


def test_a_shift_below_the_floor_is_calm_even_without_any_noise():
    assert look([0.0] * 100 + [0.015] * 50) is None


def test_a_shift_within_the_noise_is_calm():
    assert look(noisy(0.2, 200, sigma=0.05), AnomalyRule(floor=0.01, half=0.05)) is None


def test_the_harmless_direction_is_calm():
    assert look([0.9] * 50 + [0.0] * 50, AnomalyRule(floor=0.02, half=0.05)) is None
    assert look([20.0] * 50 + [90.0] * 50, TRAFFIC) is None


def test_a_drop_is_found_where_drops_hurt():
    found = look([20.0] * 50 + [2.0] * 10, TRAFFIC)
    assert found is not None
    assert (found.value, found.baseline, found.onset_s) == (2.0, 20.0, 50.0)


def test_a_shift_that_does_not_multiply_the_level_is_calm_where_a_ratio_is_asked():
    assert look([1.0] * 60 + [1.5] * 20, SECONDS) is None
    assert look([1.0] * 60 + [2.5] * 20, SECONDS) is not None


def test_a_burst_that_has_ended_is_calm():
    assert look([0.0] * 60 + [0.5] * 20 + [0.0] * 20) is None


def test_a_second_fault_is_found_at_its_own_onset():
    found = look([0.0] * 200 + [0.5] * 20 + [0.0] * 50 + [0.5] * 10)
    assert found is not None
    assert found.onset_s == 270.0


@pytest.mark.parametrize("calm", [15, 25, 60])
def test_a_fault_that_comes_back_is_found_at_its_return(calm):
    found = look([0.0] * 150 + [1.0] * 37 + [0.0] * calm + [0.9] * 6)
    assert found is not None
    assert (found.onset_s, found.value) == (187.0 + calm, 0.9)


def test_a_level_that_is_reached_again_and_again_is_calm():
    spiky = [0.9 if n % 7 == 0 else 0.1 for n in range(200)]
    assert look([*spiky, 0.9, 0.9, 0.9], AnomalyRule(floor=0.2, half=0.2)) is None


def test_one_sample_is_no_shift():
    assert look([0.0] * 60 + [0.9]) is None


def test_a_short_history_asks_for_more():
    rule = AnomalyRule(floor=0.2, half=0.2)
    assert look([0.0] * 8 + [0.25] * 4, rule) is None
    assert look([0.0] * 8 + [0.35] * 4, rule) is not None


def test_a_level_that_is_bad_in_itself_needs_no_history():
    found = look([0.4] * 4)
    assert found is not None
    assert (found.baseline, found.onset_s) == (None, None)
    assert look([0.4] * 4, SECONDS) is None


def test_a_restless_past_leaves_the_limit_to_judge_by():
    episodes = [0.0] * 30 + [0.9] * 10
    found = look([*(episodes * 6), *([0.0] * 20), 0.9, 0.9, 0.9, 0.9])
    assert found is not None
    assert (found.onset_s, found.baseline) == (260.0, 0.0)


def test_a_start_up_peak_does_not_hide_what_follows():
    rule = AnomalyRule(floor=0.25, half=0.3, ratio=1.8, min_after=3)
    found = look([0.9, 0.4, *noisy(0.04, 22, sigma=0.01), *noisy(0.6, 6, sigma=0.05)], rule)
    assert found is not None
    assert found.onset_s == 24.0


def test_samples_that_are_missing_are_left_out():
    values = np.array([0.0] * 60 + [0.35] * 6)
    values[::7] = np.nan
    found = look(values)
    assert found is not None
    assert abs(found.onset_s - 60) <= 1


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5], [np.nan] * 50])
def test_too_little_to_say_anything_says_nothing(values):
    assert look(values) is None


@settings(max_examples=200, deadline=None)
@given(
    before=st.integers(20, 150),
    after=st.integers(3, 60),
    level=st.floats(0, 0.2),
    shift=st.floats(0.1, 0.7),
    seed=st.integers(0, 1000),
)
def test_a_clear_step_is_always_found_where_it_is_give_or_take_a_sample(before, after, level, shift, seed):
    values = np.concatenate(
        [
            noisy(level, before, sigma=0.003, seed=seed),
            noisy(level + shift, after, sigma=0.003, seed=seed + 1),
        ]
    )
    found = look(values, AnomalyRule(floor=0.02, half=0.05))
    assert found is not None
    assert found.onset_s == pytest.approx(before, abs=1)  # the last one before may be a noisy one
    assert found.value == pytest.approx(level + shift, abs=0.01)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.floats(0, 1), min_size=0, max_size=80), scale=st.floats(0.5, 4))
def test_strength_is_a_share_and_scaling_series_and_rule_changes_nothing(values, scale):
    found = look(values, AnomalyRule(floor=0.1, half=0.2))
    scaled = look([value * scale for value in values], AnomalyRule(floor=0.1 * scale, half=0.2 * scale))
    if found is not None:
        assert 0 < found.strength < 1
        assert found.onset_s is None or found.onset_s >= 0
    assert len(values) >= MIN_BEFORE or found is None
    if found is not None and scaled is not None:
        assert scaled.strength == pytest.approx(found.strength, rel=1e-6)
