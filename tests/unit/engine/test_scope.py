"""The scope: what a run's templates can see, and what they must never see."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.catalogue import Catalogue, Failover, Service
from bot.domain.errors import TemplateError
from bot.domain.people import Person
from bot.domain.runs.event import Event, Origin, PhaseFinished, PhaseStarted, RunStarted, StepFinished
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Runbook
from bot.templating.scope import scope_of
from bot.templating.templates import evaluate, render

AT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
CATALOGUE = Catalogue(
    services=(
        Service(
            name="checkout",
            owner="shop",
            sources={"postgres": {"dsn": "postgresql://app:hunter2@db/shop"}},
            target={"supervisor": {"token": "hunter2"}},
            failover=Failover(service="checkout", key="bank", value="backup"),
        ),
    )
)
RUNBOOK = Runbook.model_validate(
    {
        "name": "triage",
        "summary": "s",
        "params": {"service": {"type": "service", "required": True}},
        "phases": [
            {"id": "evidence", "kind": "fan_out", "steps": [{"id": "logs", "probe": "logs.errors"}]},
            {"id": "diagnosis", "kind": "reduce", "reducer": "rank_causes", "over": ["evidence"]},
        ],
    }
)


def run_with(*events: Event, service: str = "checkout") -> Run:
    start = RunStarted(
        at=AT,
        runbook=RUNBOOK,
        params={"service": service},
        requested_by=Person(id="U1", name="Ana"),
        origin=Origin(kind="command", channel="C1"),
    )
    return fold("r1", (start, *events))


def diagnosed(verdict: str) -> PhaseFinished:
    cause = {
        "kind": "bad_release",
        "service": "checkout",
        "summary": "s",
        "confidence": 0.9,
        "data": {"version": "1.4"},
    }
    output = {
        "type": "diagnosis",
        "service": "checkout",
        "verdict": verdict,
        "summary": "s",
        "causes": [cause],
    }
    return PhaseFinished(at=AT, phase="diagnosis", outcome="ok", output=output)


def test_templates_see_parameters_phases_service_settings_and_run() -> None:
    facts = {"type": "facts", "summary": "s", "data": {"n": 3}}
    run = run_with(
        PhaseStarted(at=AT, phase="evidence"),
        StepFinished(at=AT, phase="evidence", step="logs", outcome="ok", result=facts),
    )
    scope = scope_of(run, catalogue=CATALOGUE, settings={"watch_s": 20})
    assert evaluate("params.service", scope) == "checkout"
    assert evaluate("phases.evidence.steps.logs.result.data.n", scope) == 3
    assert evaluate("phases.evidence.steps.logs.outcome", scope) == "ok"
    assert evaluate("service.owner ~ '/' ~ service.failover.key", scope) == "shop/bank"
    assert evaluate("settings.watch_s", scope) == 20
    assert render("{{ run.id }} by {{ run.requested_by.name }}", scope) == "r1 by Ana"


@pytest.mark.parametrize("secret", ["service.sources", "service.target", "service", "settings"])
def test_templates_never_see_a_password(secret: str) -> None:
    scope = scope_of(run_with(), catalogue=CATALOGUE, settings={"watch_s": 1, "slack_bot_token": "hunter2"})
    try:
        seen = evaluate(secret, scope)
    except TemplateError as error:
        seen = str(error)
    assert "hunter2" not in str(seen)


def test_the_cause_is_known_once_one_was_found() -> None:
    found = scope_of(run_with(diagnosed("cause_found")), catalogue=CATALOGUE)
    assert evaluate("cause.data.version", found) == "1.4"
    for run in (run_with(), run_with(diagnosed("unclear"))):
        assert "cause" not in scope_of(run, catalogue=CATALOGUE)


def test_a_run_about_a_service_that_left_the_catalogue_has_no_service() -> None:
    assert "service" not in scope_of(run_with(service="gone"), catalogue=CATALOGUE)
