"""What an alert adds to a suspicion, and what it never does."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.diagnoses.diagnosis import Cause, CauseKind, Diagnosis, SourceStatus
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.stories import at, finding, rank

FAILING = (
    finding("metrics", FindingKind.ERROR_RATE_UP, "orders"),
    finding("metrics", FindingKind.ERROR_RATE_UP, "pay"),
    finding("metrics", FindingKind.CPU_HIGH, "pay", strength=0.6),
)


def alert(service: str, *, strength: float = 1.0, **more: Any) -> Finding:
    return finding("alerts", FindingKind.ALERT, service, "CpuHigh", strength=strength, **more)


def saturation(diagnosis: Diagnosis) -> Cause:
    return next(cause for cause in diagnosis.causes if cause.kind is CauseKind.SATURATION)


def test_an_alert_at_a_suspect_makes_it_a_little_surer_and_is_among_its_evidence():
    without, told = saturation(rank(FAILING)), saturation(rank([*FAILING, alert("pay")]))
    assert without.confidence < told.confidence <= without.confidence + 0.1
    assert told.evidence[-1] == alert("pay").id


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(alert("pay", strength=0.0), id="everywhere or daily"),
        pytest.param(alert("pay", ended=True), id="over"),
        pytest.param(alert("pay", question=True), id="the question itself"),
        pytest.param(alert("pay", began_at=at(600)), id="long before the trouble"),
        pytest.param(alert("pay", began_at=None), id="since nobody knows when"),
        pytest.param(alert("orders"), id="of another service"),
    ],
)
def test_an_alert_that_says_nothing_of_the_suspect_changes_nothing(silent):
    without, told = saturation(rank(FAILING)), saturation(rank([*FAILING, silent]))
    assert (told.confidence, told.evidence) == (without.confidence, without.evidence)


def test_alerts_alone_are_no_fault_and_the_diagnosis_says_that_nothing_bears_them_out():
    diagnosis = rank([alert("web"), alert("pay"), alert("orders", ended=True)])
    assert diagnosis.verdict == "no_fault_found"
    assert diagnosis.causes == ()
    told = {out.what for out in diagnosis.ruled_out if out.why == "no other source confirms it"}
    assert told == {"web alert CpuHigh", "pay alert CpuHigh"}


def test_an_alert_does_not_make_doubtful_what_is_well_when_a_source_is_silent():
    assert rank([alert("pay")], traces=SourceStatus.TIMED_OUT).verdict == "no_fault_found"


def test_an_alert_is_no_second_source_where_most_cannot_be_read():
    dark = dict.fromkeys(("logs", "traces", "changes", "dependencies", "provider"), SourceStatus.UNAVAILABLE)
    strong = [f for f in FAILING if f.kind is FindingKind.CPU_HIGH]
    strong = [f.model_copy(update={"strength": 1.0}) for f in strong]
    errors = [finding("metrics", FindingKind.ERROR_RATE_UP, "pay", strength=1.0)]
    read = rank([*strong, *errors], service="pay")
    assert read.verdict == "cause_found"
    assert rank([*strong, *errors], service="pay", **dark).verdict == "unclear"
    assert rank([*strong, *errors, alert("pay")], service="pay", **dark).verdict == "unclear"
