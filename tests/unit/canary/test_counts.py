"""Errors among requests: a verdict that may be watched, and taken up again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.canary.counts import judge_counts, judge_evidence
from bot.canary.evidence import (
    errors_to_clear,
    errors_to_see,
    log_odds_harmless,
    log_odds_no_worse,
    log_odds_worse,
)
from bot.canary.sequential import CountEvidence, distinct, fold, observe
from bot.domain.rollouts.judging import Attempt, CountMetric, CountsLook
from bot.domain.rollouts.verdict import MetricOutcome

SHARES = st.floats(0.01, 0.99)
ERRORS = st.integers(0, 500)


def look(canary, stable, *, at_s=60.0, weight=0.1):
    """One look; each side is (requests, errors)."""
    sides = {
        side: dict(zip(("requests", "errors"), counts, strict=True))
        for side, counts in (("canary", canary), ("stable", stable))
    }
    return CountsLook.model_validate({"at_s": at_s, "weight": weight, **sides})


def verdict(*looks, **options):
    return judge_counts(CountMetric(name="error_rate", looks=looks, **options))


START = look((0, 0), (0, 0), at_s=0)


def test_the_e_value_is_that_of_the_beta_binomial_formula():
    k, m, share = 3, 2, 0.1
    a, b = 1.0, 9.0
    beta = lambda x, y: math.gamma(x) * math.gamma(y) / math.gamma(x + y)  # noqa: E731
    e = beta(a + k, b + m) / beta(a, b) / (share**k * (1 - share) ** m)
    assert math.exp(log_odds_worse(k, m, share=share)) == pytest.approx(e)


@given(share=SHARES, errors=st.integers(1, 30))
def test_odds_are_fair_bets_in_a_world_where_both_err_alike(share, errors):
    """The mean over all ways in which the errors may fall is 1, so that no look is worth more than another."""
    chances = [
        math.comb(errors, k) * share**k * (1 - share) ** (errors - k)
        * math.exp(log_odds_worse(k, errors - k, share=share)) for k in range(errors + 1)
    ]  # fmt: skip
    assert sum(chances) == pytest.approx(1)


@given(share=SHARES, errors=st.integers(1, 30), ratio=st.floats(2, 10))
def test_no_world_that_is_harmful_lets_the_odds_for_harmless_grow(share, errors, ratio):
    part = share * ratio / (share * ratio + 1 - share)
    chances = [
        math.comb(errors, k) * part**k * (1 - part) ** (errors - k)
        * math.exp(log_odds_no_worse(k, errors - k, share=share, ratio=2)) for k in range(errors + 1)
    ]  # fmt: skip
    assert sum(chances) <= 1 + 1e-9


@given(requests=st.integers(1, 40), share=st.floats(0.05, 0.9))
def test_no_world_with_more_errors_lets_the_odds_for_fewer_grow(requests, share):
    chances = [
        math.comb(requests, k) * share**k * (1 - share) ** (requests - k)
        * math.exp(log_odds_harmless(requests, k, below=0.05)) for k in range(requests + 1)
    ]  # fmt: skip
    assert sum(chances) <= 1 + 1e-9


@given(share=SHARES, k=ERRORS, m=ERRORS)
def test_one_more_error_on_a_canary_that_is_worse_never_lessens_the_odds(share, k, m):
    a = 10 * share
    if (a + k) / (10 + k + m) >= share:
        assert log_odds_worse(k + 1, m, share=share) >= log_odds_worse(k, m, share=share) - 1e-9


def test_a_canary_ten_times_as_bad_is_stopped():
    found = verdict(START, look((1000, 50), (9000, 45)))
    assert (found.outcome, found.reason) == (MetricOutcome.FAIL, "odds_reached")
    assert "50 of 1,000 (5 %)" in found.text
    assert found.odds is not None
    assert found.odds >= 100


def test_a_canary_that_is_much_better_is_never_stopped():
    found = verdict(START, look((5000, 0), (5000, 500)))
    assert found.odds is not None
    assert found.odds > 100
    assert found.outcome is MetricOutcome.PASS


def test_a_canary_like_stable_passes_in_the_end_and_not_before():
    assert verdict(START, look((1000, 5), (9000, 45))).outcome is MetricOutcome.INCONCLUSIVE
    assert verdict(START, look((10_000, 50), (90_000, 450))).reason == "harm_ruled_out"


def test_no_requests_is_no_data_and_never_a_pass():
    assert verdict().outcome is MetricOutcome.NO_DATA
    assert verdict(START, look((0, 0), (9000, 45))).reason == "no_requests"
    assert verdict(START, look((9000, 45), (0, 0))).reason == "no_baseline"


def test_without_any_error_it_passes_when_it_is_surely_harmless_and_not_before():
    few = verdict(START, look((400, 0), (3600, 0)))
    assert (few.outcome, few.reason) == (MetricOutcome.INCONCLUSIVE, "not_decided")
    assert verdict(START, look((6000, 0), (54_000, 0))).reason == "harmless"


def test_what_is_missing_is_told_with_the_time_it_takes():
    found = verdict(START, look((37, 0), (333, 0)))
    assert (found.have, found.needed) == (37, 100)
    assert found.wait_s == pytest.approx(60 * 63 / 37)
    assert "37 of about 100 requests on the canary needed, about 1 min 42 s" in found.text


def test_the_first_errors_may_stop_it_before_it_has_served_enough_to_pass():
    assert verdict(START, look((20, 12), (180, 0))).outcome is MetricOutcome.FAIL


@given(st.data())
def test_a_crash_between_any_two_looks_changes_nothing(data):
    looks = data.draw(_histories())
    cut = data.draw(st.integers(0, len(looks)))
    whole = fold(looks, ratio=2)
    # The journal keeps JSON; after a crash the last look may come again.
    evidence = CountEvidence.model_validate_json(fold(looks[:cut], ratio=2).model_dump_json())
    for again in looks[max(0, cut - 1) :]:
        evidence = observe(evidence, again)
    assert evidence.total == whole.total
    assert evidence.log_worse == pytest.approx(whole.log_worse)
    assert evidence.expected_errors == pytest.approx(whole.expected_errors)


@st.composite
def _histories(draw):
    """Counters that only rise, under weights that change now and then."""
    totals = np.zeros(4, dtype=int)
    looks = []
    for second in range(draw(st.integers(1, 12))):
        canary, stable = draw(st.integers(0, 40)), draw(st.integers(0, 400))
        totals += np.array([canary, draw(st.integers(0, canary)), stable, draw(st.integers(0, stable))])
        numbers = totals.tolist()
        weight = draw(st.sampled_from([0.1, 0.1, 0.25]))
        looks.append(look(numbers[:2], numbers[2:], at_s=second, weight=weight))
    return looks


def test_evidence_of_steps_is_multiplied():
    steps = fold([START, look((100, 5), (900, 5)), look((100, 5), (900, 5), weight=0.5, at_s=61),
                  look((600, 10), (1400, 9), weight=0.5, at_s=120)], ratio=2)  # fmt: skip
    expected = log_odds_worse(5, 5, share=0.1) + log_odds_worse(5, 4, share=0.5)
    assert steps.log_worse == pytest.approx(expected)
    assert steps.expected_errors == pytest.approx(10 * 0.1 + 9 * 0.5)


def test_a_rise_of_the_weight_is_no_rise_of_errors():
    """Pooled, the canary would have 255 of 505 errors with 5,100 of 10,100 requests before stable even erred."""
    looks = [START, look((100, 0), (900, 9)), look((100, 0), (900, 9), weight=0.9, at_s=61),
             look((9100, 90), (1900, 19), weight=0.9, at_s=120)]  # fmt: skip
    found = verdict(*looks)
    assert found.outcome is not MetricOutcome.FAIL


def test_the_share_is_that_of_the_requests_served_not_the_weight_asked_for():
    asked_ten_got_half = verdict(START, look((5000, 250), (5000, 250), weight=0.1))
    assert asked_ten_got_half.outcome is MetricOutcome.PASS


def test_a_counter_that_was_reset_is_counted_on():
    evidence = fold([START, look((1000, 10), (9000, 90)), look((50, 1), (9500, 95), at_s=70)], ratio=2)
    assert evidence.total.canary.requests == 1050
    assert evidence.total.canary.errors == 11
    assert evidence.total.stable.requests == 9500


def test_a_look_from_before_is_left_out():
    late = fold([START, look((1000, 10), (9000, 90))], ratio=2)
    assert observe(late, look((500, 5), (4500, 45), at_s=30)) == late


def test_a_request_that_was_retried_counts_once():
    tries = [Attempt(request_id="a", side="canary", failed=True)] * 40
    tries += [Attempt(request_id="a", side="stable", failed=False)]
    counted = distinct(tries)
    assert (counted.canary.requests, counted.canary.errors, counted.stable.requests) == (1, 1, 1)
    assert judge_counts(CountMetric(name="x", attempts=tuple(tries))).outcome is not MetricOutcome.FAIL


def test_the_errors_needed_are_where_the_expected_evidence_gets_there():
    needed = errors_to_see(share=0.1, ratio=2, threshold=math.log(100))
    assert needed is not None
    part = 0.2 / 1.1
    assert log_odds_worse(part * needed, (1 - part) * needed, share=0.1) >= math.log(100)
    less = needed - 1
    assert log_odds_worse(part * less, (1 - part) * less, share=0.1) < math.log(100)
    assert errors_to_see(share=0.1, ratio=2, threshold=math.log(100), gained=math.log(200)) == 1
    assert errors_to_see(share=1e-9, ratio=1.0001, threshold=math.log(100)) is None
    assert errors_to_clear(share=0.0, ratio=2, threshold=3) is None


def test_watched_every_second_a_sound_canary_is_hardly_ever_stopped():
    """Forty simulated quarters of an hour at 1 %: chance lets two through in one of 20."""
    rng = np.random.default_rng(7)
    metric = CountMetric(name="x")
    stopped = 0
    for _ in range(40):
        canary, stable = rng.poisson(5, 900), rng.poisson(45, 900)
        totals = np.cumsum([canary, rng.binomial(canary, 0.02), stable, rng.binomial(stable, 0.02)], axis=1)
        evidence = CountEvidence(ratio=2)
        for second in range(0, 900, 5):
            n, k, s, m = totals[:, second].tolist()
            evidence = observe(evidence, look((n, k), (s, m), at_s=second))
            if judge_evidence(metric, evidence).outcome is MetricOutcome.FAIL:
                stopped += 1
                break
    assert stopped <= 2
