"""The ranking says when, how sure, and when it does not know."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.diagnoses.diagnosis import CauseKind, SourceStatus
from tests.unit.diagnosis.faults import bad_release, bank_down, top
from tests.unit.diagnosis.stories import (
    ONSET,
    SOURCES,
    deploy,
    log_errors,
    propagated,
    rank,
    setting,
)


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


def test_the_onset_is_the_symptoms_and_not_the_changes():
    assert rank(bad_release()).onset == ONSET


def test_without_the_health_checks_the_outside_service_is_suspected_and_that_is_said():
    suspicion = [f for f in bank_down() if f.source in {"logs", "metrics"}]
    found = rank(suspicion, dependencies=SourceStatus.TIMED_OUT)
    assert found.causes[0].service == "bank"
    assert any(
        "dependencies would decide it but could not be read" in text for text in found.causes[0].against
    )
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
    assert "cannot decide between" in found.summary


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


def test_a_late_ledger_entry_still_counts():
    found = rank([f for f in bad_release() if f.source != "changes"] + [deploy("orders", "1.1", before_s=-5)])
    assert top(found)[0] is CauseKind.BAD_RELEASE


def test_a_slow_burn_names_the_release_less_surely_than_a_sudden_failure():
    sudden = rank(bad_release()).causes[0].confidence
    slow = [f for f in bad_release() if f.source != "changes"] + [deploy("orders", "1.1", before_s=1800)]
    assert rank(slow).causes[0].confidence < sudden


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


def test_without_any_source_it_is_said_that_there_is_none_and_what_to_add():
    found = rank([], **dict.fromkeys(SOURCES, SourceStatus.NOT_CONFIGURED))
    assert found.verdict == "unclear"
    assert found.summary.startswith("No source is configured for web: I do not know whether it is well.")
    assert "`prometheus`" in found.summary
