"""An alert as one message: firing with a button, resolved without."""

from __future__ import annotations

from datetime import datetime

from bot.domain.alert import Alert
from bot.domain.board import Message
from bot.domain.model import JsonObject
from bot.views import ids
from bot.views.blocks import actions, button, context, header, message, section
from bot.views.limits import bold, code, link, prose
from bot.views.words import BAD, GOOD, NEEDS_YOU, RUNNING, duration, human, local_day

_COLOURS = {"warning": NEEDS_YOU, "info": RUNNING, "notice": RUNNING}
_TOLD = frozenset({"alertname", "service", "severity"})
_MOST_LABELS = 8


def alert_message(alert: Alert, *, known_service: bool, now: datetime) -> Message:
    """Render an alert; an end that lies ahead of ``now`` (another machine's clock) counts as now."""
    return message("alert", _blocks(alert, known_service=known_service, now=now), names={}, urgent=True)


def _blocks(alert: Alert, *, known_service: bool, now: datetime) -> list[JsonObject]:
    firing = alert.status == "firing"
    about = f"{alert.service}: {alert.name}" if alert.service else alert.name
    colour = _COLOURS.get(alert.severity.lower(), BAD) if firing else GOOD
    ended = "" if firing else f" · resolved{_lasted(alert, now=now)}"
    more = "" if alert.description == alert.summary else prose(alert.description, 600)
    blocks = [header(f"{colour} {about}{ended}")]
    if alert.summary or more:
        blocks.append(section(bold(alert.summary, 400), more))
    blocks.append(context(*_small_print(alert)))
    if labels := [code(f"{name}={value}", 120) for name, value in alert.labels.items() if name not in _TOLD]:
        blocks.append(context(*labels[:_MOST_LABELS]))
    if firing and known_service:
        blocks.append(actions(button("Triage", action_id=ids.TRIAGE, value=alert.id, style="primary")))
    elif firing:
        blocks.append(context(_unknown(alert)))
    return blocks


def _lasted(alert: Alert, *, now: datetime) -> str:
    if alert.ends_at is None:
        return ""
    seconds = (min(alert.ends_at, now) - alert.starts_at).total_seconds()
    return f" after {duration(seconds)}" if seconds >= 0 else ""


def _small_print(alert: Alert) -> list[str]:
    since = "firing since" if alert.status == "firing" else "fired"
    parts = [f"{since} {local_day(alert.starts_at)}"]
    if alert.severity:
        parts.append(f"severity {prose(alert.severity, 40)}")
    source = human(alert.source) or "Source"
    return [*parts, link(alert.url, "open where it comes from") or f"from {prose(source, 60)}"]


def _unknown(alert: Alert) -> str:
    if not alert.service:
        return "It names no service (label `service`), so I cannot triage it: `/triage &lt;service&gt;` can."
    return f"{code(alert.service, 80)} is not in the catalogue, so I cannot triage it."
