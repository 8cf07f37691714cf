"""Whether a deployment can be taken back: the worst word counts, and silence is never safe."""

from __future__ import annotations

import pytest

from bot.services.rollback_safety import SafetyReport, rollback_safety, safety_report

SAFE = SafetyReport(source="traffic", verdict="safe", because="stable can take it")
UNTIL = SafetyReport(source="database", verdict="until", step="contract/1.sql", because="a column is dropped")
NEVER = SafetyReport(source="database", verdict="impossible", because="rows are deleted")
SILENT = SafetyReport(source="path", because="no answer within 15 s")


@pytest.mark.parametrize(
    ("words", "verdict", "line"),
    [
        ((SAFE,), "pass", "rollback: safe"),
        ((SAFE, UNTIL), "pass", "rollback: safe until contract/1.sql, because a column is dropped"),
        ((UNTIL, SILENT), "unknown", "rollback: not known, because no answer within 15 s"),
        ((SILENT, NEVER, SAFE), "fail", "rollback: impossible, because rows are deleted"),
        ((), "unknown", "rollback: not known, because no source reported on it"),
    ],
)
def test_the_worst_word_counts_and_silence_is_not_safe(words, verdict, line):
    told = rollback_safety(words)
    assert (told.verdict, told.summary) == (verdict, line)


def test_what_was_accepted_beforehand_is_still_said_and_no_pass():
    told = rollback_safety((NEVER, SAFE), accepted=True)
    assert told.verdict == "unknown"
    assert told.summary.startswith("rollback: impossible")
    assert "accepted" in told.summary


def test_a_probe_that_says_nothing_of_it_has_no_word_and_one_that_babbles_is_no_safety():
    assert safety_report("observe", {"stable": "1.4.1"}) is None
    babble = safety_report("path", {"rollback": {"verdict": "sure!"}})
    assert babble is not None
    assert babble.verdict is None
    assert rollback_safety((SAFE, babble)).verdict == "unknown"
