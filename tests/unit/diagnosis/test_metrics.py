"""Series become findings: with onset and unit, split by version, and only where they mean something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bot.diagnosis.signals.families import FAMILIES, MetricFamily
from bot.diagnosis.signals.metrics import (
    MetricPanel,
    MetricSeries,
    MetricsRead,
    StoppedInstances,
    findings_of,
    normal_of,
)
from bot.domain.diagnoses.finding import Finding, FindingKind

END = 1_000_000.0


def family(name: str) -> MetricFamily:
    return next(each for each in FAMILIES if each.name == name)


def series(values: list[float], label: str = "", *, end: float = END) -> MetricSeries:
    return MetricSeries(
        label=label, times_s=end - np.arange(len(values))[::-1].astype(float), values=np.array(values)
    )


def panel(name: str, *found: MetricSeries) -> MetricPanel:
    return MetricPanel(family=family(name), series=found, query=f"query of {name}", url="http://graph")


def read(
    *panels: MetricPanel, up: tuple[MetricSeries, ...] = (), requests_per_s: float = 20.0
) -> MetricsRead:
    return MetricsRead(
        service="shop",
        panels=(panel("request_rate", series([requests_per_s] * 100)), *panels),
        up=up,
        end_s=END,
        stale_s=10,
        window_s=5,
    )


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1, found
    return found[0]


STEP = [0.0] * 60 + [0.3] * 10


def test_an_error_rate_that_rose_carries_figures_query_and_onset():
    finding = only(findings_of(read(panel("error_ratio", series(STEP)))))
    assert finding.id == "metrics:error_rate_up:shop"
    assert finding.began_at is not None
    assert finding.began_at.timestamp() == END - 9
    evidence = finding.evidence[0]
    assert (evidence.value, evidence.baseline, evidence.unit) == (0.3, 0.0, "ratio")
    assert (evidence.query, evidence.url) == ("query of error_ratio", "http://graph")
    assert finding.summary.startswith(
        "shop answers 30 % of its requests with a server error, usually 0 % (since "
    )


def test_a_share_of_hardly_any_requests_is_no_finding():
    assert findings_of(read(panel("error_ratio", series(STEP)), requests_per_s=0.05)) == ()


def test_two_families_of_one_kind_make_one_finding_the_stronger():
    found = findings_of(
        read(
            panel("latency_mean", series([0.05] * 60 + [0.3] * 10)),
            panel("latency_p95", series([0.1] * 60 + [4.0] * 10)),
        )
    )
    assert only(found).data["family"] == "latency_p95"


def test_a_version_that_was_born_failing_is_compared_with_its_predecessor():
    old = series([0.0] * 60, "1.0", end=END - 12)
    new = series([0.4] * 10, "1.1")
    found = findings_of(read(panel("error_ratio_by_version", old, new)))
    finding = only(found)
    assert (finding.component, finding.evidence[0].baseline) == ("1.1", None)
    assert finding.began_at is not None
    assert finding.began_at.timestamp() == END - 9
    assert finding.data["versions"]["1.0"]["error_ratio"] == 0
    assert "usually" not in finding.summary


def test_one_version_alone_is_not_compared():
    assert findings_of(read(panel("error_ratio_by_version", series(STEP, "1.0")))) == ()


def test_a_series_that_ended_is_no_finding():
    assert findings_of(read(panel("error_ratio", series(STEP, end=END - 60)))) == ()


def test_series_without_a_single_number_are_no_finding():
    assert findings_of(read(panel("error_ratio", series([float("nan")] * 50)))) == ()


def test_each_dependency_has_its_own_finding():
    calm, failing = series([0.0] * 70, "db"), series(STEP, "bank")
    assert only(findings_of(read(panel("dependency_errors", calm, failing)))).component == "bank"


@pytest.mark.parametrize(
    ("up", "kinds"),
    [
        ({"a": [1, 1, 0, 0], "b": [1, 1, 0, 0]}, {("", True)}),
        ({"a": [1, 1, 0, 0], "b": [1, 1, 1, 1]}, {("a", False)}),
        ({"a": [0, 0, 0, 0], "b": [1, 1, 1, 1]}, set()),
        ({"a": [1, 1, 0, 1]}, set()),
        ({"a": [0, 0, 0, 0]}, {("", True)}),
    ],
    ids=["all gone", "one gone", "one never there", "back again", "never there at all"],
)
def test_instances_that_do_not_answer(up, kinds):
    rows = tuple(series([float(value) for value in values], name) for name, values in up.items())
    found = findings_of(read(up=rows))
    assert {(f.component, f.data["all"]) for f in found if f.kind is FindingKind.SERVICE_DOWN} == kinds


@pytest.mark.parametrize(
    ("deployed_before_the_end_s", "is_missed"), [(1.0, False), (-100.0, False), (-900.0, True), (200.0, True)]
)
def test_an_instance_that_the_bot_retired_is_not_missed(deployed_before_the_end_s, is_missed):
    rows = (series([1.0, 1.0, 0.0, 0.0], "candidate"), series([1.0] * 4, "stable"))
    retired = replace(read(up=rows), deployed_s=(END - deployed_before_the_end_s,))
    assert bool([f for f in findings_of(retired) if f.kind is FindingKind.SERVICE_DOWN]) is is_missed


def test_a_service_that_is_gone_as_a_whole_is_missed_whatever_the_bot_did():
    rows = (series([1.0, 1.0, 0.0, 0.0], "only"),)
    found = findings_of(replace(read(up=rows), deployed_s=(END - 1,)))
    assert [f.kind for f in found] == [FindingKind.SERVICE_DOWN]


def test_what_is_as_usual_is_said():
    calm = read(panel("error_ratio", series([0.0] * 70)), panel("cpu", series([0.05] * 60 + [0.9] * 10)))
    assert normal_of(calm, findings_of(calm)) == "shop: errors as usual"


def test_a_source_may_name_other_metrics_and_labels():
    query = family("error_ratio").query(
        selector='app="shop"',
        window_s=60,
        names={"requests": "hits_total", "status": "code", "url": "http://x"},
    )
    assert (
        query
        == '(sum(rate(hits_total{app="shop",code=~"5.."}[60s])) or vector(0)) / sum(rate(hits_total{app="shop"}[60s]))'
    )


def with_target(up: tuple[MetricSeries, ...], *, stopped: int, total: int) -> tuple[Finding, ...]:
    return findings_of(replace(read(up=up), stopped=StoppedInstances(count=stopped, total=total)))


CANDIDATE_GONE = (series([1.0, 1.0, 0.0, 0.0], "candidate"), series([1.0] * 4, "stable"))


def test_an_instance_that_the_target_has_stopped_is_not_missed_whoever_stopped_it():
    assert with_target(CANDIDATE_GONE, stopped=1, total=2) == ()


def test_an_instance_that_should_run_by_its_target_is_missed_even_right_after_a_deployment():
    gone = replace(read(up=CANDIDATE_GONE), stopped=StoppedInstances(count=0, total=2), deployed_s=(END - 1,))
    finding = only(findings_of(gone))
    assert (finding.kind, finding.data["observed"]) == (FindingKind.SERVICE_DOWN, True)


def test_a_target_that_counts_other_instances_than_are_scraped_excuses_none():
    assert only(with_target(CANDIDATE_GONE, stopped=1, total=5)).data["observed"] is False


def test_two_that_are_gone_are_not_excused_by_one_that_is_stopped():
    rows = (*CANDIDATE_GONE, series([1.0, 1.0, 0.0, 0.0], "second"))
    assert len(only(with_target(rows, stopped=1, total=3)).data["instances"]) == 2
