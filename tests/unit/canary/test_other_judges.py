"""What other judges say of the same data: the same, or for a reason that is written down."""

from __future__ import annotations

import pytest

from bench.judging_cases import agreement, folder
from bench.judging_reasons import REASONS, because


@pytest.fixture(scope="module")
def compared():
    return agreement(folder())


def test_every_difference_to_another_judge_is_explained(compared):
    assert compared["unexplained"] == []
    assert compared["compared"] == compared["agree"] + compared["differ"]
    assert compared["agree"] >= 75


def test_every_explanation_is_of_a_difference_that_is_there(compared):
    cases = {case["id"]: case for case in compared["cases"]}
    assert [name for name in REASONS if name in cases and cases[name]["agrees"]] == []


def test_an_explanation_explains_no_other_answer():
    (name, (said, why)) = next(iter(REASONS.items()))
    assert because(name, said) == why
    assert because(name, "another") == ""
    assert because("nobody knows it", said) == ""


def test_where_we_differ_a_person_is_asked_or_nothing_was_measured(compared):
    """Never that we pass what another judge found bad; but for the one that a root finder left over."""
    lax = [case["id"] for case in compared["cases"]
           if case["theirs"] in ("fail", "stop") and case["ours"] in ("pass", "proceed")]  # fmt: skip
    assert set(lax) <= {"kayenta-classifier-08"}


def test_what_users_wanted_caught_is_never_passed(compared):
    reported = [case for case in compared["cases"] if case["id"].startswith("user-")]
    assert len(reported) == 7
    assert [case["id"] for case in reported if case["ours"] == "pass"] == []
