"""All metrics together: what is open never hides what failed, and nothing passes in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.canary.combining import combine
from bot.canary.judge import judge_case
from bot.domain.rollouts.judging import CanaryCase, JudgePolicy
from bot.domain.rollouts.verdict import MetricOutcome, MetricVerdict

PASS, FAIL, UNSURE, NO_DATA, ERROR = MetricOutcome
ORDER = ["proceed", "ask", "stop"]


def metric(outcome, *, name="", **options):
    return MetricVerdict(
        metric=name or outcome.value, outcome=outcome, reason="given", text="so it is", **options
    )


def decide(*metrics, **policy):
    return combine(metrics, policy=JudgePolicy(**policy))


def test_all_that_pass_proceed():
    found = decide(metric(PASS, name="a"), metric(PASS, name="b"))
    assert (found.decision, found.score, found.decided_by) == ("proceed", 100, ("a", "b"))


def test_inconclusive_asks_a_person():
    assert decide(metric(PASS), metric(UNSURE)).decision == "ask"
    assert decide(metric(PASS), metric(UNSURE), inconclusive="stop").decision == "stop"


def test_inconclusive_does_not_hide_failed():
    """Argo: a later Inconclusive overrides Failed."""
    assert decide(metric(UNSURE), metric(FAIL)).decision == "stop"
    assert decide(metric(FAIL), metric(UNSURE)).decided_by == ("fail",)


def test_a_metric_that_could_not_be_read_does_not_vanish():
    """Kayenta: a metric that throws is missing from the score, even a critical one."""
    found = decide(metric(PASS), metric(ERROR, name="errors", critical=True))
    assert (found.decision, found.reason, found.decided_by) == ("ask", "not_read", ("errors",))
    assert decide(metric(PASS), metric(ERROR), no_data="stop").decision == "stop"


def test_no_data_is_no_pass():
    assert decide(metric(PASS), metric(NO_DATA)).decision == "ask"
    assert decide(metric(PASS), metric(NO_DATA), no_data="stop").decision == "stop"


def test_an_optional_metric_without_data_is_left_out_aloud():
    found = decide(metric(PASS, name="a"), metric(NO_DATA, name="b", optional=True))
    assert found.decision == "proceed"
    assert found.text.endswith("Without b, which had no data.")


def test_an_optional_metric_that_failed_counts():
    assert decide(metric(FAIL, optional=True)).decision == "stop"


def test_nothing_that_counts_is_no_pass():
    for given_metrics in ((), (metric(NO_DATA, optional=True),), (metric(PASS, weight=0),)):
        found = decide(*given_metrics)
        assert (found.decision, found.reason, found.score) == ("ask", "nothing_judged", None)


def test_a_critical_failure_stops_whatever_else_passes():
    found = decide(metric(PASS, weight=1000), metric(FAIL, name="errors", critical=True))
    assert (found.decision, found.reason, found.decided_by) == ("stop", "critical_failed", ("errors",))


def test_weights_make_the_score_and_the_score_the_decision():
    def of(passing):
        return decide(
            metric(PASS, weight=passing), metric(FAIL, weight=100 - passing), proceed_at=90, ask_at=75
        )

    assert [of(passing).decision for passing in (74, 75, 89, 90)] == ["stop", "ask", "ask", "proceed"]
    assert of(74).text == "Stop, decided by fail (score 74 of 100): so it is."


def test_a_metric_without_weight_is_shown_and_decides_nothing():
    found = decide(metric(PASS), metric(FAIL, weight=0))
    assert found.decision == "proceed"
    assert len(found.metrics) == 2


def test_it_tells_how_long_to_wait_before_a_person_is_asked():
    found = decide(metric(UNSURE, name="a", wait_s=30), metric(UNSURE, name="b", wait_s=90), metric(PASS))
    assert found.wait_s == 90


METRICS = st.lists(
    st.builds(
        lambda outcome, critical, weight: metric(outcome, critical=critical, weight=weight),
        st.sampled_from(list(MetricOutcome)),
        st.booleans(),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=6,
)


@given(METRICS, st.randoms())
def test_the_order_of_metrics_does_not_change_the_decision(metrics, random):
    mixed = list(metrics)
    random.shuffle(mixed)
    assert decide(*mixed).decision == decide(*metrics).decision


@given(METRICS, st.integers(0, 5), st.sampled_from([UNSURE, NO_DATA, ERROR, FAIL]))
def test_a_metric_that_no_longer_passes_never_betters_the_decision(metrics, at, outcome):
    at %= len(metrics)
    passing = [*metrics[:at], metrics[at].model_copy(update={"outcome": PASS}), *metrics[at + 1 :]]
    worse = [*metrics[:at], metrics[at].model_copy(update={"outcome": outcome}), *metrics[at + 1 :]]
    assert ORDER.index(decide(*worse).decision) >= ORDER.index(decide(*passing).decision)


@given(METRICS)
def test_it_proceeds_only_if_everything_was_judged(metrics):
    if decide(*metrics).decision == "proceed":
        assert {found.outcome for found in metrics} == {PASS}


def test_a_case_is_judged_metric_by_metric():
    case = CanaryCase.model_validate({
        "metrics": [
            {"kind": "counts", "name": "errors"},
            {"kind": "samples", "name": "latency", "canary": [1] * 20, "stable": [1] * 20},
            {"kind": "limit", "name": "cpu", "values": [2], "at_most": 1},
            {"kind": "burn", "name": "budget", "objective": 0.999},
            {"kind": "limit", "name": "memory", "error": "time-out", "at_most": 1, "values": [0], "query": "mem"},
        ]
    })  # fmt: skip
    found = judge_case(case)
    outcomes = {one.metric: one.outcome for one in found.metrics}
    assert outcomes == {"errors": NO_DATA, "latency": PASS, "cpu": FAIL, "budget": NO_DATA, "memory": ERROR}
    assert found.decided_by == ("cpu",)
    assert found.metrics[-1].text == "could not be read: time-out"
    assert found.metrics[-1].query == "mem"


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x", "kind": "counts", "critical": True, "optional": True},
        {"name": "x", "kind": "counts", "critical": True, "weight": 0},
        {"name": "x", "kind": "limit", "values": [1]},
        {"name": "x", "kind": "samples", "tolerated_change": 0.7},
        {"name": "x", "kind": "counts", "looks": [{"canary": {"requests": 1, "errors": 2}, "stable": {}}]},
        {"name": "x", "kind": "counts", "looks": [{"canary": {}, "stable": {}}],
         "attempts": [{"request_id": "a", "side": "canary", "failed": True}]},
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(bad):
    with pytest.raises(ValidationError):
        CanaryCase.model_validate({"metrics": [bad]})


def test_two_metrics_of_one_name_and_a_policy_upside_down_are_refused():
    with pytest.raises(ValidationError):
        CanaryCase.model_validate({"metrics": [{"kind": "counts", "name": "x"}] * 2})
    with pytest.raises(ValidationError):
        JudgePolicy(proceed_at=50, ask_at=60)
