"""Bursts: rises in how often something happens, found at the event that began them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.signals.bursts import find_burst


def look(times, *, start=0.0, end=300.0):
    return find_burst(np.sort(np.asarray(times, dtype=float)), start_s=start, end_s=end)


def test_something_new_is_found_at_its_first_event():
    found = look(np.arange(270, 300, 1.0))
    assert found is not None
    assert found.onset_s == 270
    assert found.is_new
    assert found.count == 30
    assert not found.ended


def test_something_that_grows_is_found_where_it_grew():
    found = look([*np.arange(0, 250, 5.0), *np.arange(250, 300, 0.2)])
    assert found is not None
    assert abs(found.onset_s - 250) <= 5
    assert not found.is_new
    assert found.rate_now / found.rate_before > 10


def test_something_steady_is_no_burst():
    assert look(np.arange(0, 300, 3.0)) is None


def test_something_that_stopped_is_no_rise():
    assert look(np.arange(0, 200, 1.0)) is None


def test_a_burst_that_ended_is_marked_and_half_as_strong():
    going = look(np.arange(280, 300, 0.5))
    ended = look(np.arange(150, 170, 0.5))
    assert ended is not None
    assert ended.ended
    assert ended.strength <= 0.5 < going.strength


def test_of_two_bursts_with_a_pause_between_them_the_last_one_is_told():
    found = look([*np.arange(150, 190, 0.1), *np.arange(290, 300, 0.1)])
    assert found is not None
    assert found.onset_s == 290
    assert not found.is_new
    assert not found.ended


def test_groups_that_come_every_minute_are_no_burst():
    assert look([start + n for start in range(10, 300, 60) for n in (0, 1, 2, 3)]) is None


def test_two_events_are_a_coincidence():
    assert look([290, 291]) is None


def test_three_late_events_of_a_rare_kind_are_no_proof():
    assert look([200, 240, 280]) is None


def test_three_events_at_once_after_a_long_silence_are_a_burst():
    assert look([297, 298, 299]) is not None


@settings(max_examples=200, deadline=None)
@given(times=st.lists(st.floats(0, 300), max_size=200))
def test_every_burst_is_a_rise_with_sane_figures(times):
    found = look(times)
    if found is not None:
        assert 0 < found.strength < 1
        assert found.rate_now > found.rate_before >= 0
        assert 3 <= found.count <= len(times)
        assert found.onset_s in times


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_chance_alone_hardly_ever_makes_a_burst(seed):
    generator = np.random.default_rng(seed)
    found = sum(look(generator.uniform(0, 300, 60)) is not None for _ in range(20))
    assert found <= 2
