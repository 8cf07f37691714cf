"""Open incidents, as far as they stop deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.domain.deployments.gate import GateResult, proceed, reject
from bot.domain.model import Instant, Model
from bot.domain.monitoring.alert import Alert

GRAVE = frozenset({"critical", "page"})
"""Severities of alerts that are an incident."""


class OpenIncident(Model):
    """One open incident: an alert that fires, or a person at work on one."""

    kind: Literal["alert", "triage"]
    """What closes it: the alert's end, or the end of the triage."""
    service: str
    what: str
    since: Instant
    alert: str = ""
    """The alert's id, if it is one."""
    run_id: str = ""
    """The triage's id, if it is one."""
    link: str = ""
    """The address of the alert's message, or of the triage's thread, where that is known."""


def is_grave(alert: Alert) -> bool:
    """Return whether an alert is an incident while it fires, silenced and acknowledged or not."""
    return alert.status == "firing" and alert.severity.casefold() in GRAVE


def rule_incident(service: str, troubles: Sequence[OpenIncident]) -> GateResult:
    """Return whether the open incidents at a service and its dependencies allow a deployment."""
    if not troubles:
        return proceed("incident", "No incident is open here or at anything it depends on.")
    first = min(troubles, key=lambda trouble: (trouble.service != service, trouble.since))
    where = "here" if first.service == service else f"at `{first.service}`, which it depends on"
    others = f" and {len(troubles) - 1} more" if len(troubles) > 1 else ""
    return reject(
        "incident",
        code="incident_open",
        why=f"An incident is open {where}: {first.what}, since {first.since:%Y-%m-%d %H:%M} UTC{others}.",
        way_out=_way_out(first),
    ).but(link=first.link)


def _way_out(trouble: OpenIncident) -> str:
    if trouble.kind == "triage":
        return "Wait for the triage to end, or cancel it in its thread. Or declare an emergency."
    service = trouble.service
    return (
        f"It opens when the alert ends: `/triage {service}` finds the cause, `/rollback {service}` takes back"
        " the last release. If it has ended and its source did not report that, press “Mark as over” on the"
        " alert's message. Or declare an emergency."
    )
