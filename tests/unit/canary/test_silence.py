"""Requests of before are not evidence about now: a canary that falls silent does not pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.canary.counts import judge_counts
from bot.canary.judge import judge_case, judge_metric
from bot.domain.rollouts.judging import CanaryCase, CountMetric, CountsLook, LimitMetric, SampleMetric
from bot.domain.rollouts.verdict import MetricOutcome

CASES = sorted((Path(__file__).parents[2] / "data/cases/12-judge-traffic-dries-up").glob("*.json"))


def judged(*rows, errors=0.003):
    """Judge looks, each ``(second, weight, requests of the canary, requests of stable)``."""
    looks = [
        CountsLook.model_validate({
            "at_s": at_s,
            "weight": weight,
            **{
                side: {"requests": requests, "errors": int(requests * errors)}
                for side, requests in (("canary", canary), ("stable", stable))
            },
        })
        for at_s, weight, canary, stable in rows
    ]  # fmt: skip
    return judge_counts(CountMetric(name="errors", critical=True, looks=tuple(looks)))


def every(seconds, *, canary, stable, weight=0.1, begin=(0, 0, 0)):
    """Look every ten seconds, at so many requests a second."""
    at_s, asked, others = begin
    return [
        (at_s + second, weight, asked + canary * second, others + stable * second)
        for second in range(10 if at_s else 0, seconds + 1, 10)
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_that_was_reported_asks_a_person(path):
    found = judge_case(CanaryCase.model_validate(json.loads(path.read_text(encoding="utf-8"))))
    assert (found.decision, found.metrics[0].reason) == ("ask", "traffic_dried_up")
    assert "the canary answered" in found.text


def test_there_are_three_reported_cases():
    assert len(CASES) == 3


def test_a_canary_that_is_asked_to_the_end_passes():
    assert judged(*every(600, canary=50, stable=450)).outcome is MetricOutcome.PASS


GOOD = every(300, canary=50, stable=450)
AT = (300, 15_000, 135_000)


@pytest.mark.parametrize(
    "then",
    [
        every(60, canary=0, stable=450, begin=AT),
        every(300, canary=1, stable=450, begin=AT),
        every(300, canary=0, stable=0, begin=AT),
        every(300, canary=0, stable=1, begin=AT),
        every(300, canary=2, stable=1800, weight=0.5, begin=AT),
        every(300, canary=0, stable=0, weight=0.5, begin=AT),
    ],
    ids=["none", "a trickle", "both sides", "nearly both", "a trickle at 50 %", "both at 50 %"],
)
@pytest.mark.parametrize("known", [True, False], ids=["weight", "no weight"])
def test_traffic_that_dries_up_is_no_data(then, known):
    rows = [(at_s, weight if known else None, *rest) for at_s, weight, *rest in (*GOOD, *then)]
    found = judged(*rows)
    assert (found.outcome, found.reason) == (MetricOutcome.NO_DATA, "traffic_dried_up")


def test_it_passes_again_once_it_is_asked_again():
    silent = every(60, canary=0, stable=450, begin=AT)
    assert judged(*GOOD, *silent).outcome is MetricOutcome.NO_DATA
    again = every(1200, canary=50, stable=450, begin=(360, 15_000, 162_000))
    assert judged(*GOOD, *silent, *again).outcome is MetricOutcome.PASS


def test_a_pause_that_may_be_chance_is_not_silence():
    assert judged(*every(36_000, canary=0.5, stable=4.5), (36_010, 0.1, 18_000, 162_045)).outcome is (
        MetricOutcome.PASS
    )


def test_it_passes_at_a_new_weight_only_once_it_has_answered_something_there():
    found = judged(*GOOD, (301, 0.5, 15_000, 135_000), (301.01, 0.5, 15_000, 135_002))
    assert (found.outcome, found.reason) == (MetricOutcome.INCONCLUSIVE, "no_requests_yet")
    assert judged(*GOOD, (301, 0.5, 15_000, 135_000), (302, 0.5, 15_200, 135_200)).outcome is (
        MetricOutcome.PASS
    )


def test_a_canary_out_of_the_balancer_does_not_pass():
    found = judged(*GOOD, (310, 0.0, 15_100, 136_000), (320, 0.0, 15_100, 141_000))
    assert found.outcome is MetricOutcome.NO_DATA


def test_a_canary_that_failed_before_it_fell_silent_is_stopped():
    rows = (
        CountsLook.model_validate({
            "at_s": at_s, "weight": 0.1,
            "canary": {"requests": 3000 * bool(at_s), "errors": 900 * bool(at_s)},
            "stable": {"requests": 450 * at_s, "errors": at_s},
        })
        for at_s in (0, 60, 600)
    )  # fmt: skip
    assert judge_counts(CountMetric(name="errors", looks=tuple(rows))).outcome is MetricOutcome.FAIL


SAMPLES = tuple(10 + (second * 7) % 5 / 10 for second in range(60))


@pytest.mark.parametrize("side", ["canary", "stable"])
@pytest.mark.parametrize(("missing", "outcome"), [(2, "pass"), (3, "no_data"), (30, "no_data")])
def test_samples_that_end_early_are_no_data(side, missing, outcome):
    given = {"canary": SAMPLES, "stable": SAMPLES} | {side: (*SAMPLES[:-missing], *[None] * missing)}
    found = judge_metric(SampleMetric(name="latency", independent=True, **given))
    assert found.outcome.value == outcome


def test_samples_that_are_worse_fail_although_they_end_early():
    worse = (*(10 * value for value in SAMPLES[:40]), *[None] * 20)
    found = judge_metric(SampleMetric(name="x", independent=True, canary=worse, stable=SAMPLES))
    assert found.outcome is MetricOutcome.FAIL


@pytest.mark.parametrize("newest", [None, float("nan")])
def test_a_limit_without_its_newest_value_does_not_pass(newest):
    found = judge_metric(LimitMetric(name="cpu", values=(0.1, 0.2, newest), at_most=0.9))
    assert (found.outcome, found.reason) == (MetricOutcome.NO_DATA, "newest_missing")
    assert judge_metric(LimitMetric(name="cpu", values=(0.1, newest, 0.2), at_most=0.9)).outcome is (
        MetricOutcome.PASS
    )
