"""Which alerts a triage is about: the one it was started from, and those of the services that it read."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.monitoring.alert import Alert
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Reduce, Runbook

_RANKING = "rank_causes"


@dataclass(frozen=True, kw_only=True)
class AlertIncident:
    """The triage that an alert belongs to, and the other alerts of it."""

    run: Run
    others: tuple[Alert, ...] = ()

    def is_about(self, alert: Alert) -> bool:
        """Return whether the triage was started from this alert, whose thread it then is in."""
        return self.run.origin.alert == alert.id

    def handles(self, alert: Alert) -> bool:
        """Return whether the alert needs nothing else now: its triage is active, or the alert is over."""
        return self.run.outcome is None or alert.status == "resolved"


def is_triage(run: Run) -> bool:
    """Return whether a run diagnoses."""
    return diagnoses(run.runbook)


def diagnoses(runbook: Runbook) -> bool:
    """Return whether the runs of a runbook diagnose."""
    return any(isinstance(phase, Reduce) and phase.reducer == _RANKING for phase in runbook.phases)


def belongs(alert: Alert, run: Run) -> bool:
    """Return whether an alert is of a triage: of a service that it reads, and firing while it is active."""
    if not is_triage(run):
        return False
    if run.origin.alert == alert.id:
        return True
    is_early = run.finished_at is None or alert.starts_at <= run.finished_at
    is_late = alert.ends_at is None or alert.ends_at >= run.started_at
    return is_early and is_late and alert.service in services_of(run)


def services_of(run: Run) -> frozenset[str]:
    """Return the services that a triage reads: the one asked about, those around it, and the cause's."""
    around = {
        neighbour.name
        for state in run.phases.values()
        if state.inputs is not None
        for neighbour in state.inputs.services
    }
    top = run.diagnosis.top if run.diagnosis is not None else None
    return frozenset({run.service, *around, *([top.service] if top is not None else [])} - {""})
