"""A canary by itself: limits, burn rates; and whether its traffic will do."""

from __future__ import annotations

import pytest

from bot.canary.counts import judge_counts
from bot.canary.forecast import forecast
from bot.canary.limits import judge_burn, judge_limit
from bot.domain.rollouts.judging import (
    BurnRateMetric,
    CountMetric,
    CountsLook,
    LimitMetric,
    RequestTally,
    Traffic,
)
from bot.domain.rollouts.verdict import MetricOutcome

FAIL, PASS, NO_DATA = MetricOutcome.FAIL, MetricOutcome.PASS, MetricOutcome.NO_DATA


def limit(*values, **options):
    return judge_limit(
        LimitMetric.model_validate({"name": "cpu", "unit": "cores", "values": values, **options})
    )


def burn(long, short, **options):
    window = {
        "long": "1h",
        "short": "5m",
        "factor": 14.4,
        "long_error_share": long,
        "short_error_share": short,
    }
    return judge_burn(
        BurnRateMetric.model_validate({"name": "budget", "objective": 0.999, "windows": [window], **options})
    )


def test_a_value_at_the_limit_is_within_it():
    assert limit(0.9, at_most=0.9).outcome is PASS
    assert limit(0.91, at_most=0.9).outcome is FAIL
    assert limit(0.5, at_least=0.5).outcome is PASS
    assert limit(0.49, at_least=0.5).outcome is FAIL


def test_a_breach_is_told_with_the_worst_value():
    found = limit(0.5, 0.95, 2.0, 0.7, at_most=0.9)
    assert found.text == "2 cores is not at most 0.9 cores; 2 of 4 values are outside"


def test_breaches_fail_beyond_what_is_tolerated():
    assert limit(1.0, 1.0, 0.1, at_most=0.9, tolerated_breaches=2).outcome is PASS
    assert limit(1.0, 1.0, 1.0, at_most=0.9, tolerated_breaches=2).outcome is FAIL


def test_no_value_is_no_data_and_never_a_pass():
    """Argo: a metric whose every measurement failed to be read can end as successful."""
    assert limit(at_most=0.9).outcome is NO_DATA
    assert limit(None, None, None, at_most=0.9).outcome is NO_DATA
    assert limit("NaN", at_most=0.9).outcome is NO_DATA
    assert limit(0.1, None, None, at_most=0.9).reason == "mostly_missing"


def test_what_is_missing_does_not_hide_a_breach():
    assert limit(2.0, None, None, at_most=0.9).outcome is FAIL


def test_an_infinite_value_passes_no_lower_limit():
    assert limit("+Inf", at_least=0.9).outcome is MetricOutcome.ERROR


def test_too_few_values_are_waited_for():
    found = limit(0.1, at_most=0.9, min_values=3)
    assert (found.outcome, found.have, found.needed) == (MetricOutcome.INCONCLUSIVE, 1, 3)


def test_a_budget_that_burns_in_both_windows_fails():
    found = burn(0.02, 0.03)
    assert found.outcome is FAIL
    assert found.text == (
        "the error budget burns 20 times too fast over 1h and 30 times over 5m; the limit is 14.4"
    )


@pytest.mark.parametrize(("long", "short"), [(0.02, 0.001), (0.001, 0.03)])
def test_a_fault_that_has_ended_or_just_began_burns_nothing_yet(long, short):
    assert burn(long, short).outcome is PASS


def test_a_spent_budget_fails_whatever_burns_now():
    assert burn(0.0, 0.0, budget_left=-0.1).reason == "budget_spent"
    assert burn(None, None, budget_left=0.0).outcome is FAIL


def test_a_window_without_data_is_no_data_and_never_a_pass():
    assert burn(None, 0.0).outcome is NO_DATA
    assert burn("NaN", 0.0).outcome is NO_DATA
    assert judge_burn(BurnRateMetric(name="budget", objective=0.999)).outcome is NO_DATA


def outlook(requests_per_s, *, error_share=0.005, window_s=900.0):
    return forecast(
        Traffic(requests_per_s=requests_per_s, error_share=error_share, canary_share=0.1, window_s=window_s)
    )


def test_enough_traffic_is_told_with_the_time_it_needs():
    found = outlook(50)
    assert found.enough
    assert 667 <= found.needed_s <= 667 * 1.25  # the simulated median, and no promise that is too early
    assert "would be seen within about" in found.text


def test_sparse_traffic_is_warned_of_before_the_canary_starts():
    found = outlook(0.5)
    assert not found.enough
    assert found.text.startswith("Traffic is too sparse: at 10 % of 0.5 requests/s")
    assert "this canary is watched for 15 min." in found.text


@pytest.mark.parametrize(
    ("requests_per_s", "error_share", "said"),
    [
        (0.0, 0.005, "There is no traffic to judge a canary by. A good canary cannot pass without a person"),
        (50.0, 0.0, "There are no errors, so errors are held against 0.1 % of the requests."),
    ],
)
def test_without_traffic_or_errors_nothing_can_be_compared(requests_per_s, error_share, said):
    found = outlook(requests_per_s, error_share=error_share)
    assert (found.enough, found.needed_s) == (False, None)
    assert found.text.startswith(said)


def test_before_the_approval_it_says_that_a_good_canary_cannot_pass_within_its_patience():
    traffic = {"requests_per_s": 20, "error_share": 0, "canary_share": 0.5, "harmless_share": 0.005}
    said = "At 5 % of the traffic a good canary needs about 16 min to pass; a person is asked after 10 min."
    found = forecast(Traffic(**traffic, least_share=0.05, window_s=600))
    assert found.text.endswith(said)
    assert found.passes_s == pytest.approx(974)
    patient = forecast(Traffic(**traffic, least_share=0.05, window_s=1200))
    assert patient.text.endswith("At 5 % of the traffic a good canary passes after about 16 min.")


@pytest.mark.parametrize(("harmless_share", "error_share"), [(0.005, 0.0), (0.0, 0.02), (0.005, 0.02)])
def test_the_foretold_time_to_pass_is_the_one_that_the_judge_needs(harmless_share, error_share):
    """With the shares of errors that are expected, and no luck: one look a second until it passes."""
    traffic = Traffic(
        requests_per_s=1000,
        error_share=error_share,
        canary_share=0.5,
        harmless_share=harmless_share,
        window_s=600,
    )
    passes_s = forecast(traffic).passes_s

    def passes(at_s: float) -> bool:
        looks = []
        for part in range(11):
            requests = round(500 * at_s * part / 10)
            side = RequestTally(requests=requests, errors=round(requests * error_share))
            looks.append(CountsLook(at_s=at_s * part / 10, weight=0.5, canary=side, stable=side))
        metric = CountMetric(name="errors", looks=tuple(looks), harmless_share=harmless_share)
        return judge_counts(metric).outcome is PASS

    assert passes(passes_s * 1.3)
    assert not passes(passes_s * 0.7)
