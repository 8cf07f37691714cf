"""The ranking names the right cause, says why, and says when it does not know."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.diagnosis import CauseKind, Diagnosis, SourceStatus
from bot.domain.finding import Finding, FindingKind
from tests.unit.analysis.stories import (
    NOW,
    ONSET,
    at,
    calls_fail,
    deploy,
    errors,
    finding,
    lock,
    log_errors,
    propagated,
    rank,
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


def test_a_release_that_fails_where_the_old_version_did_not_is_the_cause():
    found = rank(bad_release())
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert found.causes[0].data["previous_version"] == "1.0"
    assert found.causes[0].data["deploy_id"] == "d-1.1"


def test_a_setting_whose_new_value_stands_in_the_errors_is_the_cause():
    found = rank(bad_setting())
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    data = found.causes[0].data
    assert (data["before"], data["after"], data["change_id"]) == (2000, 5, "c-bank_timeout_ms")


def test_a_setting_that_stood_without_harm_yields_to_the_one_that_came_with_the_trouble():
    stood = setting("pay", "bank_region", "south", "north", before_s=30)
    found = rank([*bad_setting(), stood])
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    second = next(c for c in found.causes if c.component == "bank_region")
    assert "it stood for 30 s without harm until another change came" in second.against


def test_a_setting_that_was_only_put_back_is_less_suspicious():
    away = setting("pay", "bank", "primary", "backup", before_s=60).model_copy(update={"id": "earlier"})
    back = setting("pay", "bank", "backup", "primary", before_s=20)
    found = rank([*bad_setting(), away, back])
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    against = [text for c in found.causes if c.data.get("after") == "primary" for text in c.against]
    assert "it put back the value that had been in force before" in against


def test_one_voice_in_the_dark_names_no_cause():
    down = SourceStatus.UNAVAILABLE
    found = rank(
        [f for f in bank_down() if f.source == "dependencies"],
        metrics=down,
        logs=down,
        changes=down,
        database=down,
    )
    assert found.verdict == "unclear"


def test_an_outside_service_that_fails_when_asked_is_the_cause_and_its_failover_is_told():
    found = rank(bank_down())
    assert top(found) == (CauseKind.DEPENDENCY_DOWN, "bank", "")
    assert found.causes[0].data["failover"] == {"service": "pay", "key": "bank", "value": "backup"}
    assert found.causes[0].data["caller"] == "pay"


def test_a_blocking_session_is_the_cause_and_can_be_found_again():
    found = rank(locked())
    assert top(found) == (CauseKind.DATABASE_LOCK, "orders", "stock")
    data = found.causes[0].data
    assert (data["pid"], data["application_name"], data["blocked"]) == (4711, "nightly-report", 6)
    assert data["backend_start"]


@pytest.mark.parametrize(
    ("kind", "resource"), [(FindingKind.CPU_HIGH, "cpu"), (FindingKind.MEMORY_HIGH, "memory")]
)
def test_a_process_short_of_a_resource_is_the_cause(kind, resource):
    found = rank(hungry(kind))
    assert top(found)[:2] == (CauseKind.SATURATION, "pay")
    assert resource in {cause.component for cause in found.causes}


def test_a_service_that_refuses_connections_is_the_cause():
    found = rank(
        [
            *propagated("web", "orders"),
            calls_fail("orders", "pay", 1.0),
            *log_errors("orders", "pay unreachable", mentions={"pay": 1.0}),
            finding("dependencies", FindingKind.SERVICE_DOWN, "pay", began_at=None, state="refused"),
            finding("metrics", FindingKind.SERVICE_DOWN, "pay", all=True),
        ]
    )
    assert top(found) == (CauseKind.SERVICE_DOWN, "pay", "")


def test_a_database_that_is_gone_is_the_cause():
    found = rank(
        [
            *propagated("web", "orders"),
            *log_errors("orders", "database unreachable", hints=["database"]),
            finding("database", FindingKind.DB_DOWN, "orders", began_at=None),
        ]
    )
    assert top(found)[:2] == (CauseKind.DATABASE_DOWN, "orders")


def test_connections_that_ran_out_are_the_cause_unless_they_queue_behind_a_lock():
    full = [
        *propagated("web", "orders"),
        *log_errors("orders", "too many clients already", hints=["database"]),
        finding("database", FindingKind.DB_CONNECTIONS_HIGH, "orders", "connections", began_at=None),
    ]
    assert top(rank(full)) == (CauseKind.SATURATION, "orders", "connections")
    assert top(rank([*full, lock("orders")]))[0] is CauseKind.DATABASE_LOCK


def test_the_onset_is_the_symptoms_and_not_the_changes():
    assert rank(bad_release()).onset == ONSET


def test_nothing_unusual_is_no_fault_whatever_was_changed():
    found = rank([deploy("web", "2.3.1"), setting("pay", "limit", 1, 2)])
    assert found.verdict == "no_fault_found"
    assert found.causes == ()
    assert found.top is None
    assert {out.what for out in found.ruled_out} == {"deploy of web 2.3.1", "config pay/limit from 1 to 2"}
    assert all("no more errors" in out.why for out in found.ruled_out)


def test_a_storm_of_harmless_lines_and_an_innocent_deploy_are_no_fault():
    storm = finding(
        "logs", FindingKind.LOG_TEMPLATE_GROWING, "web", key="t", level="WARN", samples=["deprecated"]
    )
    found = rank([storm, deploy("web", "2.3.1", before_s=0)])
    assert found.verdict == "no_fault_found"
    whys = {out.what: out.why for out in found.ruled_out}
    assert whys["deploy of web 2.3.1"]
    assert any("warn lines" in why for why in whys.values())


def test_a_resource_that_nobody_suffers_from_is_not_acted_upon():
    found = rank([finding("metrics", FindingKind.CPU_HIGH, "pay", strength=0.7, value=0.9)])
    assert found.verdict != "cause_found"


def test_trouble_of_the_caller_alone_is_pointed_at():
    found = rank([errors("web")], service="orders")
    assert found.verdict == "no_fault_found"
    assert "triage that" in found.summary


def test_a_deploy_off_the_failing_path_is_not_blamed():
    # The caller shows the loudest symptom and was deployed a moment before; the cause is two calls deeper.
    found = rank([*bank_down(), deploy("web", "9.9", before_s=3)])
    assert top(found)[0] is CauseKind.DEPENDENCY_DOWN
    blamed = [cause for cause in found.causes if cause.kind is CauseKind.BAD_RELEASE]
    assert all(cause.confidence < 0.4 for cause in blamed)


def test_a_deploy_of_the_locked_service_is_not_blamed_for_the_lock():
    found = rank([*locked(), deploy("orders", "1.1", before_s=10)])
    assert top(found)[0] is CauseKind.DATABASE_LOCK
    release = [c for c in found.causes if c.kind is CauseKind.BAD_RELEASE]
    assert all(cause.confidence < 0.4 for cause in release)


def test_a_deploy_after_the_trouble_began_is_ruled_out_by_time():
    found = rank([*locked(), deploy("orders", "1.1", before_s=-25)])
    [out] = [out for out in found.ruled_out if "1.1" in out.what]
    assert out.why == "it came 25 s after the trouble of orders began"


def test_a_deploy_hours_before_is_hardly_blamed():
    fresh, stale = (
        rank(
            [*propagated("web", "orders"), *log_errors("orders", "boom"), deploy("orders", "1.1", before_s=s)]
        )
        for s in (5, 7200)
    )
    assert fresh.causes[0].kind is CauseKind.BAD_RELEASE
    stale_release = [c.confidence for c in stale.causes if c.kind is CauseKind.BAD_RELEASE]
    assert stale.verdict != "cause_found"
    assert all(confidence < fresh.causes[0].confidence / 2 for confidence in stale_release)


def test_a_release_whose_old_version_fails_as_well_is_not_believed():
    versions = {
        "1.0": {"these": 40, "all": 80, "all_before": 900},
        "1.1": {"these": 40, "all": 80, "all_before": 0},
    }
    found = rank(
        [
            *propagated("web", "orders"),
            *log_errors("orders", "boom", versions=versions),
            version_errors("orders", {"1.0": 0.5, "1.1": 0.5}, failing="1.1"),
            deploy("orders", "1.1"),
        ]
    )
    assert found.verdict == "unclear"
    assert any("other versions" in out.why for out in found.ruled_out)


def test_versions_that_run_side_by_side_outweigh_a_lock_seen_at_the_same_time():
    beside = {
        "1.0": {"these": 0, "all": 300, "all_before": 900},
        "1.1": {"these": 50, "all": 150, "all_before": 0},
    }
    found = rank(
        [
            *propagated("web", "orders"),
            *log_errors("orders", "tax failed | KeyError: 'NO'", versions=beside),
            version_errors("orders", {"1.0": 0.0, "1.1": 0.5}, failing="1.1"),
            deploy("orders", "1.1"),
            lock("orders", blocked=1).model_copy(update={"strength": 0.5}),
        ]
    )
    assert top(found)[0] is CauseKind.BAD_RELEASE


def test_two_faults_at_once_are_both_named():
    half = [f for f in bad_release() if f.source != "logs" or f.service != "orders"]
    versions = {
        "1.0": {"these": 0, "all": 0, "all_before": 900},
        "1.1": {"these": 50, "all": 150, "all_before": 0},
    }
    mixed = log_errors(
        "orders", "KeyError: 'NO'", mentions={"pay": 0.4}, exceptions=["KeyError"], versions=versions
    )
    found = rank(
        [
            *half,
            *mixed,
            calls_fail("orders", "pay", 0.2),
            *[f for f in bank_down() if f.service in {"pay", "bank"}],
        ]
    )
    assert {cause.kind for cause in found.causes if cause.confidence >= 0.6} >= {
        CauseKind.BAD_RELEASE,
        CauseKind.DEPENDENCY_DOWN,
    }
    assert found.verdict == "cause_found"
    assert "at the same time" in found.summary


def test_a_release_that_came_with_the_load_outranks_the_load():
    found = rank([*hungry(), deploy("pay", "3.1", before_s=4)])
    assert top(found)[0] is CauseKind.BAD_RELEASE


def test_an_outside_service_that_answers_when_asked_is_doubted():
    suspicion = [f for f in bank_down() if f.source in {"logs", "metrics"}]
    found = rank(suspicion)
    assert found.verdict == "unclear"
    [bank] = [c for c in found.causes if c.service == "bank"] or [None]
    assert bank is None or bank.against


def test_without_the_health_checks_the_outside_service_is_suspected_and_that_is_said():
    suspicion = [f for f in bank_down() if f.source in {"logs", "metrics"}]
    found = rank(suspicion, dependencies=SourceStatus.TIMED_OUT)
    assert found.causes[0].service == "bank"
    assert any("dependencies could not be read" in text for text in found.causes[0].against)
    assert [source.name for source in found.unread] == ["dependencies"]


def test_two_causes_that_cannot_be_told_apart_are_shown_as_a_tie():
    twins = [
        *propagated("web", "orders"),
        *log_errors("orders", "boom"),
        setting("orders", "alpha", 1, 2),
        setting("orders", "omega", 1, 2),
    ]
    found = rank(twins)
    assert found.verdict == "unclear"
    assert found.causes[0].confidence == found.causes[1].confidence
    assert "cannot tell" in found.summary


def test_a_fault_without_a_known_reason_names_the_place_only():
    found = rank(
        [*propagated("web", "orders"), *log_errors("orders", "x | KeyError: 1", exceptions=["KeyError"])]
    )
    assert found.verdict == "unclear"
    assert (found.causes[0].kind, found.causes[0].service) == (CauseKind.CODE_FAULT, "orders")
    assert found.top is None


def test_nothing_read_is_unclear_and_never_no_fault():
    found = rank([], metrics=SourceStatus.UNAVAILABLE)
    assert found.verdict == "unclear"
    assert "could not be read" in found.summary


def test_a_rollback_is_never_suspected():
    back = deploy("orders", "1.0").model_copy(update={"data": {"change_kind": "rollback", "version": "1.0"}})
    found = rank([*propagated("web", "orders"), *log_errors("orders", "boom"), back])
    assert all(cause.kind is not CauseKind.BAD_RELEASE for cause in found.causes)
    assert any("remedy" in out.why for out in found.ruled_out)


def test_less_traffic_further_down_is_no_fault_of_its_own():
    quiet = finding("metrics", FindingKind.TRAFFIC_DROP, "pay", value=0.0)
    assert rank([quiet]).verdict == "no_fault_found"
    assert rank([quiet], service="pay").verdict == "unclear"


def test_a_late_ledger_entry_still_counts():
    found = rank([f for f in bad_release() if f.source != "changes"] + [deploy("orders", "1.1", before_s=-5)])
    assert top(found)[0] is CauseKind.BAD_RELEASE


def test_a_slow_burn_names_the_release_less_surely_than_a_sudden_failure():
    sudden = rank(bad_release()).causes[0].confidence
    slow = [f for f in bad_release() if f.source != "changes"] + [deploy("orders", "1.1", before_s=1800)]
    assert rank(slow).causes[0].confidence < sudden


def test_an_open_transaction_with_locks_is_suspected_even_if_nobody_waits_this_moment():
    open_transaction = finding(
        "database",
        FindingKind.DB_LONG_TRANSACTION,
        "orders",
        "nightly-report",
        strength=0.6,
        began_at=at(50),
        tables=["stock"],
        pid=4711,
        backend_start=NOW.isoformat(),
        blocked=0,
    )
    found = rank([f for f in locked() if f.source != "database"] + [open_transaction])
    assert found.causes[0].kind is CauseKind.DATABASE_LOCK


def test_symptoms_before_the_window_leave_the_timing_open():
    steady = [f.model_copy(update={"began_at": None}) for f in propagated("web", "orders")]
    found = rank([*steady, deploy("orders", "1.1")])
    assert found.onset is None
    assert found.verdict == "unclear"


def test_the_summary_says_when_and_how_much():
    cause = rank(bad_release()).causes[0]
    assert (
        cause.summary
        == "orders 1.1 fails 50 % of its requests; it was released 5 s before the trouble began."
    )
    assert cause.began_at == ONSET - timedelta(seconds=5)


def test_a_setting_that_was_put_back_before_the_trouble_and_its_restoration_are_not_blamed():
    found = rank(
        [
            *hungry(),
            setting("pay", "bank_timeout_ms", 2000, 5, before_s=120),
            setting("pay", "bank_timeout_ms", 5, 2000, before_s=60).model_copy(
                update={"id": "changes:restored"}
            ),
        ]
    )
    assert top(found)[0] is CauseKind.SATURATION
    assert all(cause.kind is not CauseKind.BAD_CONFIGURATION for cause in found.causes)
    whys = {out.what: out.why for out in found.ruled_out}
    assert "no longer in force" in whys["config pay/bank_timeout_ms from 2000 to 5"]


def test_a_release_that_was_rolled_back_before_the_trouble_is_ruled_out():
    back = deploy("orders", "1.0", before_s=60)
    back = back.model_copy(update={"data": {**back.data, "change_kind": "rollback"}})
    found = rank(
        [*propagated("web", "orders"), *log_errors("orders"), deploy("orders", "1.1", before_s=120), back]
    )
    assert all(cause.kind is not CauseKind.BAD_RELEASE for cause in found.causes)


def test_trouble_that_has_ended_is_told_and_not_blamed_on_anything():
    ended = [f.model_copy(update={"data": {**f.data, "ended": True}}) for f in log_errors("orders", "boom")]
    found = rank([*ended, deploy("orders", "1.1")])
    assert found.verdict == "no_fault_found"
    assert "There was trouble in orders; it has ended." in found.summary
    assert any(out.why == "it has ended" for out in found.ruled_out)


def test_a_release_that_ran_well_for_minutes_is_not_blamed_for_what_comes_from_below():
    versions = {
        "2.0": {"these": 0, "all": 0, "all_before": 900},
        "2.1": {"these": 50, "all": 80, "all_before": 900},
    }
    found = rank(
        [
            *[f for f in bad_release() if f.service != "web" or f.source != "logs"],
            *log_errors("web", "orders answered 500", mentions={"orders": 1.0}, versions=versions),
            version_errors("web", {"2.0": 0.0, "2.1": 0.5}, failing="2.1", beside=False, ran_first_s=240),
            deploy("web", "2.1", before_s=240),
        ]
    )
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert all(cause.confidence < 0.5 for cause in found.causes[1:])


def test_a_bad_value_that_comes_back_is_blamed_again():
    first = setting("pay", "bank_timeout_ms", 2000, 5, before_s=300).model_copy(update={"id": "first"})
    restored = setting("pay", "bank_timeout_ms", 5, 2000, before_s=200).model_copy(update={"id": "second"})
    found = rank([*bad_setting(), first, restored])
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    assert found.causes[0].against == ()
    assert found.causes[0].data["after"] == 5


def test_a_restored_value_in_the_errors_of_a_dead_dependency_is_not_blamed():
    away = setting("pay", "bank_timeout_ms", 2000, 5, before_s=300).model_copy(update={"id": "first"})
    restored = setting("pay", "bank_timeout_ms", 5, 2000, before_s=200).model_copy(update={"id": "second"})
    found = rank([*bank_down(), away, restored])
    assert top(found)[0] is CauseKind.DEPENDENCY_DOWN
    assert all(cause.confidence < 0.5 for cause in found.causes[1:])
