"""Where nothing fails, what is unusual is named, and the alert that it explains."""

from __future__ import annotations

import numpy as np
import pytest

from bot.diagnosis.signals.families import FAMILIES, REQUESTS
from bot.diagnosis.signals.metrics import MetricPanel, MetricSeries, MetricsRead, findings_of
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from tests.unit.diagnosis.faults import bad_release
from tests.unit.diagnosis.stories import at, deploy, finding, rank


def alert(service: str, name: str, *, seconds_ago: float = 0) -> Finding:
    return finding("alerts", FindingKind.ALERT, service, name, began_at=at(seconds_ago), ended=False)


def flood(
    service: str = "web", *, before: float = 1.0, now: float = 51.0, line: str = "deprecated header"
) -> Finding:
    kind = FindingKind.LOG_TEMPLATE_GROWING if before else FindingKind.LOG_TEMPLATE_NEW
    found = finding("logs", kind, service, key=line, level="WARN")
    evidence = Evidence(text=line, value=now, baseline=before, unit="lines/s")
    return found.model_copy(update={"evidence": (evidence,)})


def busy(kind: FindingKind, text: str, service: str = "web") -> Finding:
    found = finding("metrics", kind, service, strength=0.4, value=0.9)
    return found.model_copy(update={"evidence": (Evidence(text=text, value=0.9, baseline=0.1),)})


def test_a_log_storm_names_what_floods():
    found = rank([flood(), alert("web", "LogVolumeHigh"), deploy("web", "2.3.1", before_s=0)])
    assert found.verdict == "no_fault_found"
    assert found.summary.startswith(
        "No fault found: nothing is failing. web logs “deprecated header” 51 times as often since "
    )
    assert "which explains LogVolumeHigh. Errors and latency of web" in found.summary
    assert not any("no other source confirms it" in out.why for out in found.ruled_out)


@pytest.mark.parametrize(
    ("loud", "name"),
    [
        (busy(FindingKind.CPU_HIGH, "a process of web uses 0.9 cores, usually 0.1"), "HighCpuLoad"),
        (
            busy(FindingKind.MEMORY_HIGH, "a process of web holds 900 MB of memory, usually 90 MB"),
            "MemoryHigh",
        ),
        (
            busy(FindingKind.POOL_EXHAUSTED, "99 % of the connection pool of web is in use"),
            "ServiceSaturated",
        ),
        (busy(FindingKind.TRAFFIC_UP, "web receives 200 req/s, usually 20"), "RequestRateUnusual"),
        (flood(before=0, line="GC pause"), "TooManyLogLines"),
    ],
)
def test_an_alert_about_volume_saturation_or_traffic_is_explained_by_what_was_seen(loud, name):
    found = rank([loud, alert("web", name)])
    assert found.verdict == "no_fault_found"
    assert loud.evidence[0].text in found.summary
    assert f"which explains {name}" in found.summary


@pytest.mark.parametrize(
    ("loud", "others"),
    [
        (flood("orders"), [alert("orders", "HighErrorRate")]),
        (flood(), [alert("web", "LogVolumeHigh", seconds_ago=900)]),
        (flood("orders"), [alert("web", "LogVolumeHigh")]),
    ],
    ids=["about something else", "long before", "of another service"],
)
def test_an_alert_is_not_explained_by_what_it_is_not_about(loud, others):
    found = rank([loud, *others])
    assert found.verdict == "no_fault_found"
    assert "which explains" not in found.summary
    assert any("no other source confirms it" in out.why for out in found.ruled_out)


def test_little_more_of_a_harmless_line_is_not_worth_a_sentence():
    assert "deprecated" not in rank([flood(before=1.0, now=4.0)]).summary


def test_of_two_floods_the_larger_one_is_named():
    found = rank(
        [flood(now=40, line="a little"), flood(now=400, line="a lot"), alert("web", "LogVolumeHigh")]
    )
    assert "a lot" in found.summary
    assert "a little" not in found.summary


def test_a_flood_beside_a_fault_changes_nothing():
    beside = rank([*bad_release(), flood(), alert("web", "LogVolumeHigh")])
    assert (beside.verdict, beside.causes[0].summary) == (
        "cause_found",
        rank(bad_release()).causes[0].summary,
    )


def requests(rates: list[float]) -> tuple[Finding, ...]:
    family = next(each for each in FAMILIES if each.name == REQUESTS)
    times = 1_000.0 + np.arange(len(rates), dtype=float)
    panel = MetricPanel(
        family=family, series=(MetricSeries(label="", times_s=times, values=np.array(rates)),), query="q"
    )
    return findings_of(
        MetricsRead(service="web", panels=(panel,), up=(), end_s=float(times[-1]), stale_s=10, window_s=5)
    )


def test_many_more_requests_are_found_and_are_no_fault():
    assert [f.kind for f in requests([20.0] * 60 + [200.0] * 20)] == [FindingKind.TRAFFIC_UP]
    assert [f.kind for f in requests([200.0] * 60 + [20.0] * 20)] == [FindingKind.TRAFFIC_DROP]
    assert requests([20.0] * 60 + [35.0] * 20) == ()
    assert rank(list(requests([20.0] * 60 + [200.0] * 20))).verdict == "no_fault_found"


def test_requests_that_come_back_after_an_outage_are_not_news():
    assert requests([50.0] * 60 + [2.0] * 20 + [50.0] * 30) == ()
