"""Alerts as findings: how rare around the service, how new for it, and whose question they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.diagnosis.alerts.firings import Firing, PastFirings, findings_of
from bot.domain.diagnoses.finding import Evidence, Finding

NOW = datetime(2026, 3, 1, 3, 15, tzinfo=UTC)
SERVICES = ("web", "orders", "pay", "bank")


def firing(service: str, name: str, **more: Any) -> Firing:
    began = NOW - timedelta(minutes=2)
    return Firing(
        **{"service": service, "name": name, "began_at": began, "evidence": Evidence(text=name), **more}
    )


def told(*firings: Firing, past: PastFirings | None = None, question: str = "") -> dict[str, Finding]:
    found = findings_of(firings, services=SERVICES, past=past or PastFirings(), question=question)
    return {f"{finding.service} {finding.component}": finding for finding in found}


def test_what_one_service_alone_alerts_of_is_stronger_than_what_spread():
    spread = [firing(name, "HighErrorRate") for name in ("web", "orders", "pay")]
    found = told(*spread, firing("pay", "OutOfMemory"))
    assert found["pay OutOfMemory"].strength == 1
    assert 0 < found["pay HighErrorRate"].strength < 0.25
    everywhere = told(*(firing(name, "HighErrorRate") for name in SERVICES))
    assert {finding.strength for finding in everywhere.values()} == {0}


def test_two_rules_about_the_same_thing_are_of_one_kind():
    found = told(
        firing("web", "HighLatencyP95"), firing("pay", "SlowResponseTime"), firing("bank", "PodCrashLooping")
    )
    assert found["web HighLatencyP95"].strength == found["pay SlowResponseTime"].strength == 0.5
    assert found["bank PodCrashLooping"].strength == 1


def test_an_alert_of_every_day_says_little_and_its_summary_says_why():
    past = PastFirings(
        days=14, fired={("pay", "CpuHigh"): frozenset(range(14)), ("pay", "MemoryHigh"): frozenset({3})}
    )
    found = told(
        firing("pay", "CpuHigh"), firing("pay", "MemoryHigh"), firing("pay", "TlsExpires"), past=past
    )
    daily, seldom, never = (found[f"pay {name}"] for name in ("CpuHigh", "MemoryHigh", "TlsExpires"))
    assert daily.strength < 0.15
    assert 0.6 < seldom.strength < never.strength == 1
    assert (
        daily.summary == "CpuHigh of pay has been firing since 03:13:00 UTC; before that, on 14 of 14 days."
    )
    assert never.summary.endswith("; before that, on none of 14 days.")
    assert (seldom.data["days_before"], seldom.data["days_known"]) == (1, 14)


def test_without_a_past_nothing_is_said_of_it_and_everything_is_news():
    (found,) = told(firing("pay", "CpuHigh")).values()
    assert found.summary == "CpuHigh of pay has been firing since 03:13:00 UTC."
    assert found.strength == 1


def test_what_two_reporters_tell_of_is_one_finding_with_both_to_check():
    by_rule = firing("pay", "CpuHigh", began_at=None, evidence=Evidence(text="a", query="ALERTS"))
    by_book = firing(
        "pay", "CpuHigh", severity="page", ids=frozenset({"f-1"}), evidence=Evidence(text="b", url="u")
    )
    (found,) = told(by_rule, by_book).values()
    assert [item.text for item in found.evidence] == ["a", "b"]
    assert found.began_at == by_book.began_at
    assert found.data["severity"] == "page"
    assert told(by_rule)["pay CpuHigh"].summary == "CpuHigh of pay has been firing since before the window."


def test_what_is_over_has_no_strength_and_makes_nothing_else_less_rare():
    past = firing("web", "CpuHigh", ended_at=NOW - timedelta(minutes=1))
    found = told(past, firing("pay", "CpuHigh"))
    assert found["web CpuHigh"].strength == 0
    assert found["web CpuHigh"].data["ended"] is True
    assert found["web CpuHigh"].summary == "CpuHigh of web fired until 03:14:00 UTC."
    assert found["pay CpuHigh"].strength == 1


def test_only_the_alert_that_was_asked_about_is_marked_as_the_question():
    asked = firing("pay", "CpuHigh", ids=frozenset({"f1-17"}))
    other = firing("pay", "MemoryHigh", ids=frozenset({"f2-17"}))
    found = told(asked, other, question="f1-17")
    assert [f.data["question"] for f in found.values()] == [True, False]
    assert not any(f.data["question"] for f in told(asked, other).values())


def test_days_that_two_reporters_know_are_counted_once():
    key = ("pay", "CpuHigh")
    joined = PastFirings(days=3, fired={key: frozenset({0, 1})}).and_of(
        PastFirings(days=9, fired={key: frozenset({1, 7})})
    )
    assert joined == PastFirings(days=9, fired={key: frozenset({0, 1, 7})})
