"""What a provider says of itself as evidence: it explains what fails because of it, and nothing else."""

from __future__ import annotations

from bot.domain.diagnoses.diagnosis import CauseKind, SourceStatus
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.stories import errors, finding, log_errors, rank


def incident(strength: float = 0.8) -> Finding:
    return finding("provider", FindingKind.DEPENDENCY_DOWN, "bank", strength=strength, direct=True)


def failing() -> list[Finding]:
    return [
        errors("web"),
        errors("orders"),
        errors("pay"),
        *log_errors("web", mentions={"orders": 0.9}),
        *log_errors("orders", mentions={"pay": 0.9}),
        *log_errors("pay", mentions={"bank": 0.9}),
    ]


def test_an_incident_that_the_provider_tells_of_makes_it_the_surer_cause():
    without = rank(failing())
    told = rank([*failing(), incident()])
    assert told.causes[0].kind is CauseKind.DEPENDENCY_DOWN
    assert told.causes[0].service == "bank"
    before = max((cause.confidence for cause in without.causes if cause.service == "bank"), default=0.0)
    assert told.causes[0].confidence > before
    assert "provider:dependency_down:bank" in told.causes[0].evidence


def test_an_incident_of_a_provider_that_answers_and_that_nobody_fails_at_is_hardly_suspected():
    elsewhere = [errors("orders"), *log_errors("orders", exceptions=["KeyError"])]
    found = rank([*elsewhere, incident()])
    assert (found.causes[0].service, found.causes[0].kind) == ("orders", CauseKind.CODE_FAULT)
    bank = [cause.confidence for cause in found.causes if cause.service == "bank"]
    assert all(confidence < 0.4 for confidence in bank)


def test_a_source_that_is_not_set_up_changes_no_confidence_and_one_that_is_away_does():
    plain = rank([*failing(), incident()])
    unset = rank([*failing(), incident()], database=SourceStatus.NOT_CONFIGURED)
    away = rank([*failing(), incident()], database=SourceStatus.UNAVAILABLE)
    assert unset.causes == plain.causes
    assert away.causes[0].confidence < plain.causes[0].confidence
