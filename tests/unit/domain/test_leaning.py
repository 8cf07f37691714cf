"""How an answer moves what the evidence points to, in a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.runs.preliminary import PreliminaryDiagnosis, move

NONE = PreliminaryDiagnosis()


def leaning(confidence=0.5, service="checkout", component=""):
    return PreliminaryDiagnosis(
        kind=CauseKind.BAD_RELEASE,
        service=service,
        component=component,
        summary="It fails.",
        confidence=confidence,
    )


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (NONE, leaning(), "first"),
        (leaning(0.5), leaning(0.6), "strengthened"),
        (leaning(0.6), leaning(0.5), "weakened"),
        (leaning(0.5), leaning(0.52), None),
        (leaning(), leaning(service="payments"), "replaced"),
        (leaning(), leaning(component="1.4.2"), "replaced"),
        (leaning(), NONE, "gone"),
        (NONE, NONE, None),
    ],
)
def test_a_move_has_one_word(before, after, word):
    assert move(before, after) == word


@given(st.floats(0, 1), st.floats(0, 1))
def test_forth_and_back_are_opposites(one, other):
    opposite = {"strengthened": "weakened", "weakened": "strengthened", None: None}
    assert move(leaning(other), leaning(one)) == opposite[move(leaning(one), leaning(other))]
