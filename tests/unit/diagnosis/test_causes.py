"""The ranking names the right cause, and what acting on it needs."""

from __future__ import annotations

import pytest

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.faults import bad_release, bad_setting, bank_down, hungry, locked, top
from tests.unit.diagnosis.stories import (
    NOW,
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


def test_a_release_that_fails_where_the_old_version_did_not_is_the_cause():
    found = rank(bad_release())
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert found.causes[0].data["previous_version"] == "1.0"
    assert found.causes[0].data["deploy_id"] == "d-1.1"


@pytest.mark.parametrize("before_s", [12, 7200, -8])
def test_a_release_of_which_there_are_several_records_is_one_cause(before_s):
    again = deploy("orders", "1.1", before_s=before_s)
    found = rank(
        [*bad_release(), again.but(id=f"{again.id}:again", data={**again.data, "change_id": "other"})]
    )
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert [(c.service, c.component) for c in found.causes].count(("orders", "1.1")) == 1
    assert found.causes[0].data["deploy_id"] == "d-1.1"  # the record that fits the trouble best


def test_a_version_that_was_deployed_twice_in_a_row_beside_another_is_one_release():
    twice = [
        deploy("orders", "1.1", before_s=before_s).model_copy(update={"id": f"record-{before_s}"})
        for before_s in (5, 300)
    ]
    found = rank([*bad_release()[:-1], deploy("orders", "1.0", before_s=900), *twice])
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    calm = rank([deploy("orders", "1.0", before_s=900), *twice])
    assert calm.verdict == "no_fault_found"


def test_a_version_that_came_back_after_another_one_is_a_change_of_its_own():
    came_back = deploy("orders", "1.1", before_s=3000)
    between = deploy("orders", "1.0.9", before_s=2000, previous="1.1")
    found = rank([*bad_release(), came_back.but(id=f"{came_back.id}:first"), between])
    assert top(found) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert [one.what for one in found.ruled_out if "1.1" in one.what] != []


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
    assert "it did no harm for 30 s, until another change was made" in second.against


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
    assert "At the same time" in found.summary


def test_a_release_that_came_with_the_load_outranks_the_load():
    found = rank([*hungry(), deploy("pay", "3.1", before_s=4)])
    assert top(found)[0] is CauseKind.BAD_RELEASE


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


def test_a_bad_value_that_comes_back_is_blamed_again():
    first = setting("pay", "bank_timeout_ms", 2000, 5, before_s=300).model_copy(update={"id": "first"})
    restored = setting("pay", "bank_timeout_ms", 5, 2000, before_s=200).model_copy(update={"id": "second"})
    found = rank([*bad_setting(), first, restored])
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    assert found.causes[0].against == ()
    assert found.causes[0].data["after"] == 5


def both_versions_fail_by_payments_and_the_new_one_by_itself(*, own_beside: int) -> list[Finding]:
    versions = {
        "1.0": {"these": own_beside, "all": 200, "all_before": 900},
        "1.1": {"these": 50, "all": 200, "all_before": 0},
    }
    return [
        *propagated("web", "orders"),
        deploy("orders", "1.1", before_s=2),
        version_errors("orders", {"1.0": 0.4, "1.1": 0.7}, failing="1.1"),
        *log_errors("orders", "KeyError: 'sku'", exceptions=("KeyError",), versions=versions),
    ]


def test_a_release_that_alone_says_something_of_its_own_is_named_though_all_versions_fail():
    said = rank(both_versions_fail_by_payments_and_the_new_one_by_itself(own_beside=0))
    assert top(said) == (CauseKind.BAD_RELEASE, "orders", "1.1")
    assert "other versions of orders fail as well, but not with the same message" in said.causes[0].against


def test_a_release_is_not_named_where_all_versions_say_the_same():
    said = rank(both_versions_fail_by_payments_and_the_new_one_by_itself(own_beside=50))
    assert said.verdict != "cause_found" or said.causes[0].kind is not CauseKind.BAD_RELEASE


def test_a_release_beside_another_fault_is_named_by_its_own_lines_where_the_old_version_soon_was_gone():
    mixed = {
        "1.0": {"these": 8, "all": 10, "all_before": 900},
        "1.1": {"these": 150, "all": 230, "all_before": 245},
    }
    own = {
        "1.0": {"these": 0, "all": 1, "all_before": 900},
        "1.1": {"these": 77, "all": 230, "all_before": 245},
    }
    said = rank(
        [
            *(errors(name, 0.5) for name in ("web", "orders", "pay")),
            calls_fail("web", "orders"),
            calls_fail("orders", "pay", 0.25),
            *log_errors("pay", "bank did not answer within 32 ms"),
            setting("pay", "bank_timeout_ms", 2000, 32),
            deploy("orders", "1.1", before_s=1),
            finding("logs", FindingKind.LOG_ERRORS, "orders", mentions={"pay": 0.5}, versions=mixed),
            finding(
                "logs",
                FindingKind.LOG_TEMPLATE_NEW,
                "orders",
                key="own",
                level="ERROR",
                versions=own,
                exceptions=["KeyError"],
            ),
        ]
    )
    assert [(c.kind, c.service) for c in said.causes[:2]] == [
        (CauseKind.BAD_CONFIGURATION, "pay"),
        (CauseKind.BAD_RELEASE, "orders"),
    ]
    assert "At the same time: orders 1.1" in said.summary
