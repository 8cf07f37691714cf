"""What probes find of the commonest faults, and how the first cause is read."""

from __future__ import annotations

from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.stories import (
    calls_fail,
    deploy,
    finding,
    lock,
    log_errors,
    propagated,
    setting,
    version_errors,
)


def top(diagnosis: Diagnosis) -> tuple[CauseKind, str, str]:
    assert diagnosis.verdict == "cause_found", diagnosis.summary
    cause = diagnosis.causes[0]
    return cause.kind, cause.service, cause.component


def bad_release() -> list[Finding]:
    versions = {
        "1.0": {"these": 0, "all": 0, "all_before": 900},
        "1.1": {"these": 50, "all": 150, "all_before": 0},
    }
    return [
        *propagated("web", "orders"),
        *log_errors("orders", "tax failed | KeyError: 'NO'", exceptions=["KeyError"], versions=versions),
        version_errors("orders", {"1.0": 0.0, "1.1": 0.5}, failing="1.1", beside=False),
        deploy("orders", "1.1"),
    ]


def bad_setting() -> list[Finding]:
    return [
        *propagated("web", "orders", "pay"),
        calls_fail("pay", "bank"),
        *log_errors("pay", "bank did not answer within 5 ms", mentions={"bank": 1.0}, hints=["timeout"]),
        setting("pay", "bank_timeout_ms", 2000, 5),
    ]


def bank_down() -> list[Finding]:
    return [
        *propagated("web", "orders", "pay"),
        calls_fail("pay", "bank"),
        *log_errors("pay", "bank did not answer within 2000 ms", mentions={"bank": 1.0}, hints=["timeout"]),
        finding("dependencies", FindingKind.DEPENDENCY_DOWN, "bank", began_at=None, state="timeout"),
        finding("dependencies", FindingKind.DEPENDENCY_DOWN, "pay", "bank", strength=0.7, began_at=None),
    ]


def locked() -> list[Finding]:
    return [
        *propagated("web", "orders"),
        *log_errors("orders", "no database connection became free", hints=["database"]),
        finding("metrics", FindingKind.POOL_EXHAUSTED, "orders", strength=0.8, value=1.0),
        lock("orders"),
    ]


def hungry(kind: FindingKind = FindingKind.CPU_HIGH) -> list[Finding]:
    return [
        *propagated("web", "orders", "pay"),
        *log_errors("pay", "screening is overloaded: 18 charges are waiting", hints=["overload"]),
        finding("metrics", FindingKind.LATENCY_UP, "pay", value=3.0),
        finding("metrics", kind, "pay", strength=0.7, value=0.9),
    ]
