"""What is innocent is not blamed, and where nothing is wrong nobody is."""

from __future__ import annotations

import pytest

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.diagnoses.diagnosis import CauseKind, SourceStatus
from bot.domain.diagnoses.finding import FindingKind
from tests.unit.diagnosis.faults import bad_release, bad_setting, bank_down, hungry, locked, top
from tests.unit.diagnosis.stories import (
    NOW,
    SHOP,
    deploy,
    errors,
    finding,
    log_errors,
    propagated,
    rank,
    results,
    setting,
    version_errors,
)


def test_a_setting_that_was_only_put_back_is_less_suspicious():
    away = setting("pay", "bank", "primary", "backup", before_s=60).model_copy(update={"id": "earlier"})
    back = setting("pay", "bank", "backup", "primary", before_s=20)
    found = rank([*bad_setting(), away, back])
    assert top(found) == (CauseKind.BAD_CONFIGURATION, "pay", "bank_timeout_ms")
    against = [text for c in found.causes if c.data.get("after") == "primary" for text in c.against]
    assert "it only restored the earlier value" in against


def test_nothing_unusual_is_no_fault_whatever_was_changed():
    found = rank([deploy("web", "2.3.1"), setting("pay", "limit", 1, 2)])
    assert found.verdict == "no_fault_found"
    assert found.causes == ()
    assert found.top is None
    assert {out.what for out in found.ruled_out} == {"deploy of web 2.3.1", "config pay/limit from 1 to 2"}
    assert all("shows no unusual errors or delays" in out.why for out in found.ruled_out)


@pytest.mark.parametrize("source", ["metrics", "logs"])
def test_nothing_unusual_in_a_part_of_the_data_is_not_no_fault(source):
    read = dict(results([]))
    read[source] = read[source].model_copy(update={"partial": ("web: only a part of the data was read",)})
    found = rank_causes(service="web", catalogue=SHOP, results=read, now=NOW, since_s=1800)
    assert found.verdict == "unclear"
    assert f"Of {source} only a part could be read" in found.summary
    [unread] = found.unread
    assert (unread.name, unread.status) == (source, SourceStatus.PARTIAL)
    assert unread.why == "web: only a part of the data was read"


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


def test_an_outside_service_that_answers_when_asked_is_doubted():
    suspicion = [f for f in bank_down() if f.source in {"logs", "metrics"}]
    found = rank(suspicion)
    assert found.verdict == "unclear"
    [bank] = [c for c in found.causes if c.service == "bank"] or [None]
    assert bank is None or bank.against


def test_a_rollback_is_never_suspected():
    back = deploy("orders", "1.0").model_copy(update={"data": {"change_kind": "rollback", "version": "1.0"}})
    found = rank([*propagated("web", "orders"), *log_errors("orders", "boom"), back])
    assert found.causes
    assert all(cause.kind is not CauseKind.BAD_RELEASE for cause in found.causes)
    assert any("remedy" in out.why for out in found.ruled_out)


def test_less_traffic_further_down_is_no_fault_of_its_own():
    quiet = finding("metrics", FindingKind.TRAFFIC_DROP, "pay", value=0.0)
    assert rank([quiet]).verdict == "no_fault_found"
    assert rank([quiet], service="pay").verdict == "unclear"


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
    assert found.causes
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


def test_a_restored_value_in_the_errors_of_a_dead_dependency_is_not_blamed():
    away = setting("pay", "bank_timeout_ms", 2000, 5, before_s=300).model_copy(update={"id": "first"})
    restored = setting("pay", "bank_timeout_ms", 5, 2000, before_s=200).model_copy(update={"id": "second"})
    found = rank([*bank_down(), away, restored])
    assert top(found)[0] is CauseKind.DEPENDENCY_DOWN
    assert all(cause.confidence < 0.5 for cause in found.causes[1:])
