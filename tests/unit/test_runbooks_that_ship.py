"""The runbooks that ship load with the plugins that ship, and every remedy fits the action it calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.catalogue import Catalogue, Failover, Service
from bot.domain.diagnoses.diagnosis import Cause, CauseKind
from bot.domain.model import JsonObject
from bot.domain.runs.event import Origin
from bot.domain.runs.runbook import FanOut, Pipeline, Plan, Remedy, Runbook, steps_of
from bot.engine.plugins import Plugins, scan
from bot.loader.loader import LoadedLibrary, load_runbooks
from bot.services.parsing.command_line import parse_words, usage_of
from bot.templating.templates import render, truth

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue(
    services=(
        Service(name="checkout", depends_on=("payments",)),
        Service(name="payments", depends_on=("bank",)),
        Service(
            name="bank", external=True, failover=Failover(service="payments", key="bank", value="backup")
        ),
    )
)
SESSION: JsonObject = {
    "pid": 4711,
    "backend_start": "2026-03-04T03:00:00+00:00",
    "application_name": "nightly-report",
    "query": "select 1",
    "blocked": 12,
}
FAILOVER: JsonObject = {"service": "payments", "key": "bank", "value": "backup"}
SETTING: JsonObject = {"key": "bank_timeout_ms", "before": 2000, "after": 5, "change_id": "c1"}


@dataclass(frozen=True, kw_only=True)
class Cure:
    """A cause as the ranking gives it, and what its remedy must be."""

    kind: CauseKind
    service: str
    data: JsonObject
    action: str
    said: str
    """Part of the summary that people read."""
    before: JsonObject = field(default_factory=dict)
    """What the action says stood there before."""

    @property
    def cause(self) -> Cause:
        return cause_of(self.kind, self.service, self.data)


CURES = (
    Cure(
        kind=CauseKind.BAD_RELEASE,
        service="checkout",
        data={"version": "1.4.2", "previous_version": "1.4.1"},
        action="deploy.rollback",
        said="back from 1.4.2 to 1.4.1",
        before={"percent": 100, "routes": []},
    ),
    Cure(
        kind=CauseKind.BAD_CONFIGURATION,
        service="checkout",
        data={"key": "new-cart", "before": "off", "after": "on for 50 %", "target": "flags"},
        action="deploy.rollback",
        said="Turn new-cart of checkout off for all users (now on for 50 %)",
        before={"percent": 50, "routes": []},
    ),
    Cure(
        kind=CauseKind.BAD_CONFIGURATION,
        service="payments",
        data=SETTING,
        action="settings.put",
        said="back to 2000",
        before={"value": 5},
    ),
    Cure(
        kind=CauseKind.DATABASE_LOCK,
        service="checkout",
        data=SESSION,
        action="postgres.terminate",
        said="nightly-report",
    ),
    Cure(
        kind=CauseKind.DEPENDENCY_DOWN,
        service="bank",
        data={"failover": FAILOVER, "caller": "payments"},
        action="settings.put",
        said="Move payments off bank",
        before={"value": "primary"},
    ),
    Cure(
        kind=CauseKind.SATURATION,
        service="payments",
        data={"resource": "cpu", "value": 0.99},
        action="supervisor.restart",
        said="short of cpu",
    ),
    Cure(
        kind=CauseKind.SERVICE_DOWN,
        service="payments",
        data={},
        action="supervisor.restart",
        said="Start payments",
    ),
)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return scan("bot.probes", "bot.actions", third_parties=False)


@pytest.fixture(scope="module")
def library(plugins: Plugins) -> LoadedLibrary:
    return load_runbooks([ROOT / "runbooks"], plugins=plugins, services=CATALOGUE)


@pytest.fixture(scope="module")
def triage(library: LoadedLibrary) -> Runbook:
    return library.get("triage")


def cause_of(kind: CauseKind, service: str, data: JsonObject) -> Cause:
    component = "cpu" if kind is CauseKind.SATURATION else ""
    return Cause(kind=kind, service=service, component=component, summary="s", confidence=0.9, data=data)


def remedy_for(runbook: Runbook, cause: Cause) -> Remedy | None:
    plan = runbook.phase("remedy")
    assert isinstance(plan, Plan)
    scope = {"cause": cause, "params": {"service": "checkout", "since": 1800.0}}
    options = plan.remedies.get(cause.kind, ())
    return next((r for r in options if r.when is None or truth(r.when, scope)), None)


def test_every_file_of_the_folder_is_loaded(library: LoadedLibrary) -> None:
    assert len(library.names()) == len(list((ROOT / "runbooks").rglob("*.yaml")))
    for name in library.names():
        stem = name.removeprefix("deploy-") if "/deploy/" in library.files[name] else name
        assert library.files[name].endswith(f"/{stem}.yaml")
        assert library.get(name).summary.endswith(".")


def test_triage_is_asked_for_with_a_service_and_a_time(triage: Runbook) -> None:
    assert usage_of(triage, "/triage") == "`/triage <service> [since 30m]`"
    given = parse_words(triage, "checkout since 1h", catalogue=CATALOGUE)
    assert given == {"service": "checkout", "since": 3600.0}


def test_triage_asks_all_its_sources_at_once(triage: Runbook) -> None:
    phase = triage.phase("evidence")
    assert isinstance(phase, FanOut)
    assert [step.id for step in phase.steps] == [
        "logs",
        "metrics",
        "traces",
        "changes",
        "dependencies",
        "provider",
        "database",
        "mysql",
        "alerts",
    ]
    assert all(step.timeout_s < phase.deadline_s <= 5 for step in phase.steps)


@pytest.mark.parametrize(("since_s", "looked_back_s"), [(600.0, 3600), (7200.0, 7200.0)])
def test_triage_looks_for_changes_of_at_least_an_hour(
    triage: Runbook, since_s: float, looked_back_s: float
) -> None:
    step = next(s for s in steps_of(triage.phase("evidence")) if s.id == "changes")
    arguments = render(step.arguments, {"params": {"service": "checkout", "since": since_s}})
    assert arguments == {"service": "checkout", "since_s": looked_back_s}


def test_triage_tells_the_alerts_probe_which_alert_asked(triage: Runbook) -> None:
    step = next(s for s in steps_of(triage.phase("evidence")) if s.id == "alerts")
    scope = {"params": {"service": "checkout", "since": 600.0}}
    for origin in (Origin(kind="webhook", alert="f1-17"), Origin(kind="cli")):
        arguments = render(step.arguments, {**scope, "run": {"origin": origin}})
        assert arguments == {"service": "checkout", "since_s": 600.0, "alert": origin.alert}


def test_no_fix_of_triage_is_made_unasked(triage: Runbook) -> None:
    fix = triage.phase("fix")
    assert isinstance(fix, Pipeline)
    assert fix.approval is not None
    assert not fix.approval.allow_requester
    acting = [phase.id for phase in triage.phases if any(step.is_action for step in steps_of(phase))]
    assert acting == ["remedy"]


@pytest.mark.parametrize("cure", CURES, ids=lambda cure: f"{cure.kind}-{cure.service}")
def test_every_remedy_fits_its_action_and_its_undo(triage: Runbook, plugins: Plugins, cure: Cure) -> None:
    scope = {"cause": cure.cause, "params": {"service": "checkout", "since": 1800.0}}
    remedy = remedy_for(triage, cure.cause)
    assert remedy is not None
    assert cure.said in str(render(remedy.summary, scope))
    assert len(str(render(remedy.risk, scope))) > 40
    (step,) = remedy.steps
    assert step.plugin == cure.action
    assert "{{" not in str(render(step.title, scope))
    arguments = render(step.arguments, scope)
    assert isinstance(arguments, dict)
    plugins.get(cure.action).check(arguments)
    if step.undo is None:
        assert len(step.no_undo) > 20
        return
    undone = render(step.undo.arguments, {**scope, "result": {"before": cure.before}})
    assert isinstance(undone, dict)
    plugins.get(step.undo.plugin).check(undone)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (CauseKind.BAD_RELEASE, {"version": "1.4.2"}),
        (CauseKind.BAD_RELEASE, {"version": "1.4.2", "previous_version": None}),
        (CauseKind.BAD_CONFIGURATION, {"key": "x", "before": None, "after": 5}),
        (CauseKind.DEPENDENCY_DOWN, {"caller": "payments"}),
        (CauseKind.DEPENDENCY_DOWN, {"caller": "payments", "failover": None}),
        (CauseKind.DATABASE_LOCK, {"pid": None}),
        (CauseKind.DATABASE_DOWN, {}),
        (CauseKind.CODE_FAULT, {}),
        (CauseKind.UNKNOWN, {}),
    ],
)
def test_without_a_way_back_no_remedy_is_proposed(triage: Runbook, kind: CauseKind, data: JsonObject) -> None:
    assert remedy_for(triage, cause_of(kind, "bank", data)) is None


def test_a_setting_that_was_zero_can_be_restored(triage: Runbook) -> None:
    data: JsonObject = {"key": "max_retries", "before": 0, "after": 9}
    assert remedy_for(triage, cause_of(CauseKind.BAD_CONFIGURATION, "payments", data)) is not None


def test_a_remedy_reads_the_moment_a_session_began_as_the_database_wrote_it(
    triage: Runbook, plugins: Plugins
) -> None:
    cause = cause_of(CauseKind.DATABASE_LOCK, "checkout", SESSION)
    remedy = remedy_for(triage, cause)
    assert remedy is not None
    arguments = render(remedy.steps[0].arguments, {"cause": cause})
    model = plugins.get("postgres.terminate").params.model_validate(arguments)
    assert model.model_dump()["backend_start"] == datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
