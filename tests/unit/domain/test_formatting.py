"""Durations, shares, sizes and lists are written in one way."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.formatting import about, duration, figure, listed, number, percent, several, size

_UNITS_S = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
_SIZES = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def _seconds(text: str) -> float:
    return sum(float(n) * _UNITS_S[unit] for n, unit in re.findall(r"([\d.]+) (ms|s|min|h|d)", text))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.35, "350 ms"),
        (0.9996, "1 s"),
        (1.24, "1.2 s"),
        (8, "8 s"),
        (59.7, "1 min"),
        (90, "1 min 30 s"),
        (240, "4 min"),
        (9000, "2 h 30 min"),
        (3 * 86_400, "3 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, said: str):
    assert duration(seconds) == said


@given(st.floats(0.0005, 365 * 86_400))
def test_a_duration_is_right_to_the_smaller_unit_that_it_shows(seconds: float):
    text = duration(seconds)
    assert re.fullmatch(r"[\d.]+ (ms|s|min|h|d)( \d+ (s|min|h))?", text)
    smallest = _UNITS_S[text.split()[-1]] if " " in text else 1
    coarse = (
        3600
        if "d" in text
        else 60
        if "h" in text
        else 1
        if "min" in text
        else 0.05 * seconds + 0.5 * smallest
    )
    assert abs(_seconds(text) - seconds) <= coarse + 0.5


@given(st.floats(0, 30 * 86_400), st.floats(0, 30 * 86_400))
def test_a_longer_duration_never_reads_as_a_shorter_one(one: float, other: float):
    low, high = sorted((one, other))
    assert _seconds(duration(low)) <= _seconds(duration(high))


@given(st.floats(0, 30 * 86_400))
def test_an_estimate_shows_no_seconds_from_a_minute_on(seconds: float):
    text = about(seconds)
    assert "ms" not in text
    assert not re.search(r"min \d+ s", text)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (0.354, "35 %"),
        (0.021, "2.1 %"),
        (0.095, "9.5 %"),
        (0.00041, "0.041 %"),
        (1, "100 %"),
        (0.9995, "99.95 %"),
        (0.99999, "99.99 %"),
        (1e-7, "0.00001 %"),
        (-0.03, "-3 %"),
        (1.5, "150 %"),
    ],
)
def test_a_share_is_written_in_per_cent(share: float, said: str):
    assert percent(share) == said
    assert figure(share, "ratio") == figure(share, "share") == said


@given(st.floats(0, 1))
def test_only_nothing_is_none_and_only_all_is_all(share: float):
    text = percent(share)
    assert re.fullmatch(r"[\d.]+ %", text)
    assert (text == "0 %") == (round(share * 100, 6) == 0)
    assert (text == "100 %") == (round(share * 100, 6) == 100)


@given(st.floats(1e-4, 1))
def test_a_share_is_right_to_a_twentieth_of_itself_or_half_a_point(share: float):
    shown = float(percent(share).removesuffix(" %")) / 100
    assert abs(shown - share) <= max(0.05 * share, 1e-12)


@given(st.floats(0, 1e16))
def test_a_size_is_right_to_three_digits(count: float):
    value, unit = size(count).replace(",", "").split()
    assert float(value) * _SIZES[unit] == pytest.approx(count, rel=0.01, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (256_000_000, "bytes", "256 MB"),
        (900, "B", "900 B"),
        (1500, "bytes", "1.5 kB"),
        (2.5e15, "bytes", "2,500 TB"),
        (0.66, "cores", "0.66 cores"),
        (3.0, "", "3"),
        (-2, "s", "-2 s"),
        (12_345, "lines", "12,345 lines"),
    ],
)
def test_a_figure_has_its_unit(value: float, unit: str, said: str):
    assert figure(value, unit) == said


@given(st.floats(-1e9, 1e9))
def test_a_number_has_no_exponent_where_a_person_can_read_it(value: float):
    assert "e+" not in number(value)


@given(st.lists(st.text("abc", min_size=1), max_size=8), st.integers(1, 8))
def test_a_list_names_or_counts_every_item(items: list[str], most: int):
    text = listed(items, most=most)
    assert text.count(" and ") == (1 if len(items) > 1 else 0)
    for item in items[:most]:
        assert item in text
    if len(items) > most:
        assert text.endswith(f" and {len(items) - most} more")
    assert listed(items, last="or", most=most) == text.replace(" and ", " or ")


def test_things_are_counted_with_their_plural():
    assert several(1, "step") == "1 step"
    assert several(1200, "query", "queries") == "1,200 queries"
