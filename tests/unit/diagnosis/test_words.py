"""Figures and spans as people say them."""

from __future__ import annotations

import pytest

from bot.domain.wording import figure, listing, span


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.354, "ratio", "35 %"),
        (0.021, "ratio", "2.1 %"),
        (0.0, "ratio", "0 %"),
        (1.0, "ratio", "100 %"),
        (0.085, "s", "85 ms"),
        (1.24, "s", "1.2 s"),
        (256_000_000, "bytes", "256 MB"),
        (900, "bytes", "900 B"),
        (2.5e15, "bytes", "2500.0 TB"),
        (0.66, "cores", "0.66 cores"),
        (3.0, "", "3"),
    ],
)
def test_a_figure_has_its_unit(value, unit, said):
    assert figure(value, unit) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(8, "8 s"), (240, "4 min"), (9000, "2.5 h"), (86_400 * 3, "3 days"), (0.4, "0 s")]
)
def test_a_span_is_said_in_the_unit_that_fits(seconds, said):
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e", "f"], "a, b, c, d and 2 more"),
    ],
)
def test_names_are_joined(items, said):
    assert listing(items) == said
