"""What fires in a service and around it, as findings: how rare in this case, and how new for the service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import groupby

from pydantic import Field

from bot.diagnosis.alerts.board import AlertBoard
from bot.diagnosis.alerts.case import AlertCase
from bot.diagnosis.alerts.history import IncidentHistory
from bot.diagnosis.alerts.kinds import AlertKind, kind_of
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.model import Instant, Model
from bot.domain.wording import clock_time

_SOURCE = "alerts"


class Firing(Model):
    """An alert that fires, or fired in the window, from one reporter."""

    service: str
    name: str
    began_at: Instant | None = None
    """None: before the window, so that it is not known when."""
    ended_at: Instant | None = None
    """None: it still fires."""
    severity: str = ""
    evidence: Evidence
    ids: frozenset[str] = frozenset()
    """Its episodes in the bot's own book, where it is known there."""


class PastFirings(Model):
    """On which of the days before the window each alert fired; day 0 ends where the window begins."""

    days: int = Field(default=0, ge=0)
    """The number of days with a record; 0: none."""
    fired: Mapping[tuple[str, str], frozenset[int]] = Field(default_factory=dict)
    """The days, by service and alert."""

    def and_of(self, other: PastFirings) -> PastFirings:
        """Join what two reporters know: a day on which either saw the alert is one on which it fired."""
        fired: dict[tuple[str, str], frozenset[int]] = defaultdict(frozenset)
        for past in (self, other):
            for key, days in past.fired.items():
                fired[key] |= days
        return PastFirings(days=max(self.days, other.days), fired=dict(fired))


def findings_of(
    firings: Sequence[Firing], *, services: Sequence[str], past: PastFirings, question: str = ""
) -> tuple[Finding, ...]:
    """Return one finding for each alert of each service, however many instances or reporters have it.

    The strength is the alert's rarity among ``services`` (1: no other has one of its kind; 0: all have, or
    there are no others) times its news (1: never on an earlier day, near 0: daily); see ``AlertBoard`` and
    ``IncidentHistory``.  ``question`` is the id of the alert that the triage was started from: that it
    fires is what is to be explained, so it is marked.
    """
    ordered = sorted(firings, key=lambda firing: (firing.service, firing.name))
    case = AlertCase(
        nodes=tuple(services),
        metric_alerts=tuple((f.service, f.name, "up") for f in ordered if not f.ended_at),
    )
    board = AlertBoard(case, history=_history(past))
    found = []
    for (service, name), each in groupby(ordered, key=lambda firing: (firing.service, firing.name)):
        strength = board.special(service).get(_kind(name), 0.0)
        found.append(_finding(list(each), strength=strength, past=past, question=question))
    return tuple(found)


def _kind(name: str) -> AlertKind:
    return kind_of(name, "up")  # whatever it measures: there are no alerts about improvements


def _history(past: PastFirings) -> IncidentHistory:
    """Count days as a case counts incidents: alerts of one kind are one sight."""
    days: dict[Hashable, frozenset[int]] = defaultdict(frozenset)
    for (service, name), fired in past.fired.items():
        days[service, _kind(name)] |= fired
    return IncidentHistory(incidents=past.days, seen=days)


def _finding(reports: Sequence[Firing], *, strength: float, past: PastFirings, question: str) -> Finding:
    service, name = reports[0].service, reports[0].name
    on = [firing for firing in reports if firing.ended_at is None]
    latest = on or reports
    began_at = min((firing.began_at for firing in latest if firing.began_at is not None), default=None)
    ended_at = None if on else max(firing.ended_at for firing in reports if firing.ended_at is not None)
    seen = len(past.fired.get((service, name), ()))
    since = f"since {clock_time(began_at)}" if began_at else "since before the window"
    life = f"fired until {clock_time(ended_at)}" if ended_at else f"has been firing {since}"
    before = f"; before that, on {seen or 'none'} of {past.days} days" if past.days else ""
    return Finding(
        id=f"{_SOURCE}:{FindingKind.ALERT.value}:{service}:{name}",
        source=_SOURCE,
        kind=FindingKind.ALERT,
        service=service,
        component=name,
        summary=f"{name} of {service} {life}{before}.",
        began_at=began_at,
        strength=0.0 if ended_at else round(strength, 4),
        evidence=tuple(dict.fromkeys(firing.evidence for firing in latest)),
        data={
            "ended": ended_at is not None,
            "severity": next((firing.severity for firing in latest if firing.severity), ""),
            "days_before": seen,
            "days_known": past.days,
            "question": bool(question) and any(question in firing.ids for firing in reports),
        },
    )
