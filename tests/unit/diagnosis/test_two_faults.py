"""Two faults with evidence of their own are both named, wherever one begins; a symptom is no second fault."""

from __future__ import annotations

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.faults import bad_setting, bank_down, hungry
from tests.unit.diagnosis.stories import (
    at,
    calls_fail,
    deploy,
    errors,
    finding,
    lock,
    log_errors,
    rank,
    setting,
)


def mixed_lines(share_of_pay: float, *, own: str = "KeyError: 'NO'", own_s: float = 0) -> list[Finding]:
    """Errors of orders: a part names pay; the rest is logged by version 1.1 alone."""
    versions = {
        "1.0": {"these": 40, "all": 60, "all_before": 900},
        "1.1": {"these": 50, "all": 60, "all_before": 0},
    }
    kept = {
        "1.0": {"these": 0, "all": 2, "all_before": 900},
        "1.1": {"these": 14, "all": 60, "all_before": 0},
    }
    data = {"level": "ERROR", "count": 50, "hints": []}
    return [
        finding(
            "logs",
            FindingKind.LOG_ERRORS,
            "orders",
            mentions={"pay": share_of_pay},
            versions=versions,
            samples=["pay answered 502"],
            exceptions=["KeyError"],
            **data,
        ),
        finding(
            "logs",
            FindingKind.LOG_TEMPLATE_NEW,
            "orders",
            key="pay",
            mentions={"pay": 1.0},
            versions=versions,
            samples=["pay answered 502"],
            exceptions=[],
            **data,
        ),
        finding(
            "logs",
            FindingKind.LOG_TEMPLATE_NEW,
            "orders",
            key="own",
            mentions={},
            versions=kept,
            samples=[own],
            exceptions=["KeyError"],
            began_at=at(-own_s),
            **data,
        ),
    ]


def setting_and_release(
    share_of_pay: float = 0.6, *, release_before_s: float = 2, own_s: float = 0
) -> list[Finding]:
    return [
        *(errors(name, 0.5) for name in ("web", "orders", "pay")),
        calls_fail("web", "orders"),
        calls_fail("orders", "pay", 0.4),
        calls_fail("pay", "bank", 0.4),
        *log_errors("web", "orders answered 502", mentions={"orders": 1.0}),
        *mixed_lines(share_of_pay, own_s=own_s),
        *log_errors("pay", "bank did not answer within 32 ms", mentions={"bank": 1.0}, hints=["timeout"]),
        setting("pay", "bank_timeout_ms", 2000, 32, before_s=4),
        deploy("orders", "1.1", before_s=release_before_s),
    ]


def named(found: Diagnosis) -> set[tuple[CauseKind, str]]:
    return {(cause.kind, cause.service) for cause in found.causes if cause.confidence >= 0.5}


BOTH = {(CauseKind.BAD_CONFIGURATION, "pay"), (CauseKind.BAD_RELEASE, "orders")}


@pytest.mark.parametrize("service", ["web", "orders", "pay"])
@pytest.mark.parametrize("share_of_pay", [0.3, 0.6, 0.85])
def test_both_are_named_from_every_service(service, share_of_pay):
    found = rank(setting_and_release(share_of_pay), service=service)
    assert found.verdict == "cause_found"
    assert named(found) >= BOTH, found.causes
    assert "At the same time: " in found.summary


@pytest.mark.parametrize("service", ["web", "orders", "pay"])
def test_a_release_into_the_trouble_of_another_fault_is_judged_by_its_own_messages(service):
    found = rank(setting_and_release(0.7, release_before_s=-60, own_s=62), service=service)
    assert named(found) >= BOTH, found.causes


@pytest.mark.parametrize("service", ["web", "orders", "pay"])
@pytest.mark.parametrize(
    "story",
    [
        [*bad_setting(), deploy("orders", "1.1"), deploy("web", "2.1")],
        [*bank_down(), deploy("orders", "1.1")],
        [*hungry(), setting("orders", "limit", 1, 2)],
    ],
    ids=["setting", "bank", "saturation"],
)
def test_callers_that_suffer_from_the_one_fault_have_none_of_their_own(service, story):
    found = rank(story, service=service)
    assert found.verdict == "cause_found"
    assert {service for _, service in named(found)} <= {"pay", "bank"}
    assert "At the same time" not in found.summary


def test_a_lock_of_a_caller_is_named_beside_the_fault_that_was_asked_about():
    story = [
        *bad_setting(),
        *log_errors("orders", "no database connection became free", hints=["database"]),
        finding("metrics", FindingKind.POOL_EXHAUSTED, "orders", strength=0.8, value=1.0),
        lock("orders"),
    ]
    found = rank(story, service="pay")
    assert named(found) >= {(CauseKind.BAD_CONFIGURATION, "pay"), (CauseKind.DATABASE_LOCK, "orders")}
    assert found.top is not None
    assert found.top.service == "pay", "the fix is for what was asked about"


def test_a_caller_in_trouble_by_itself_is_named_where_nothing_is_wrong_here():
    found = rank([errors("orders", 0.3), *mixed_lines(0.0), deploy("orders", "1.1")], service="pay")
    assert (found.verdict, found.causes) == ("no_fault_found", ())
    assert "But orders, which depends on it, is in trouble: orders 1.1 fails" in found.summary


WITH_MAIL = Catalogue.model_validate(
    {
        "services": [
            {"name": "web", "depends_on": ["orders"]},
            {"name": "orders", "depends_on": ["pay", "mail"]},
            {"name": "pay", "depends_on": ["bank"], "sources": {"http": {"health": "x"}}},
            {"name": "mail"},
            {"name": "bank", "external": True, "sources": {"http": {"health": "x"}}},
        ]
    }
)


def test_a_caller_with_trouble_in_something_that_was_not_read_has_no_fault_that_is_known():
    mail = [calls_fail("orders", "mail", 0.5)]
    assert (CauseKind.BAD_RELEASE, "orders") in named(
        rank(setting_and_release(), service="pay", catalogue=WITH_MAIL)
    )
    found = rank([*setting_and_release(), *mail], service="pay", catalogue=WITH_MAIL)
    assert {service for _, service in named(found)} <= {"pay", "bank"}


def test_the_second_fault_that_was_taken_back_is_not_named_as_present():
    back = deploy("orders", "1.0", before_s=-20)
    back = back.model_copy(update={"data": {**back.data, "change_kind": "rollback"}})
    for service in ("orders", "pay"):
        found = rank([*setting_and_release(), back], service=service)
        assert "At the same time" not in found.summary
