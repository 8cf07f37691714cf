"""The message of an alert: with buttons while it fires, without once it is resolved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.board import DesiredMessage
from bot.domain.formatting import duration, listed, percent, several
from bot.domain.model import JsonObject
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.incident import AlertIncident
from bot.views import ids
from bot.views.blocks import actions, button, confirmation, context, header, message, section
from bot.views.limits import bold, code, link, prose
from bot.views.phrases import (
    BAD,
    GOOD,
    NEEDS_YOU,
    RUNNING,
    channel,
    human,
    local,
    local_day,
    names_in,
    who,
)
from bot.views.thread.review import review_button
from bot.views.thread.root import state_lines
from bot.views.thread.state import headline

_COLOURS = {"warning": NEEDS_YOU, "info": RUNNING, "notice": RUNNING}
_SHOWN = frozenset({"alertname", "service", "severity"})
_MOST_LABELS = 8
_MOST_OTHERS = 4
_PERCENT = re.compile(r"(?<![\w.,])(\d{1,12}(?:\.\d{1,12})?) ?%")
_SINCE = {
    (False, "firing"): "firing since",
    (False, "resolved"): "fired",
    (True, "firing"): "unable to measure since",
    (True, "resolved"): "unable to measure from",
}
"""Words before the start time, by whether the alert is unknown and by its status."""


def alert_message(
    alert: Alert, *, known_service: bool, now: datetime, incident: AlertIncident | None = None
) -> DesiredMessage:
    """Return the message of an alert; an end after ``now`` (another machine's clock) counts as now.

    With ``incident`` it shows what its triage found and did, and how that ended.
    """
    people = (alert.acknowledged_by, alert.silenced_by, alert.closed_by)
    names = {person.id: person.name or person.id for person in people if person is not None}
    names |= names_in(incident.run) if incident is not None else {}
    blocks = _blocks(alert, known_service=known_service, now=now, incident=incident)
    return message("alert", blocks, names=names, urgent=True)


def _blocks(
    alert: Alert, *, known_service: bool, now: datetime, incident: AlertIncident | None
) -> list[JsonObject]:
    firing = alert.status == "firing"
    about = f"{alert.service}: {alert.name}" if alert.service else alert.name
    ended = "" if firing else f" · resolved{_lasted(alert, now=now)}"
    handled = incident is not None and incident.handles(alert)
    blocks = [header(f"{alert_colour(alert)} {about}{ended}")]
    if lines := [*_told(alert, brief=incident is not None), *_progress(alert, incident)]:
        blocks.append(section(*lines))
    blocks.append(context(*_small_print(alert, brief=incident is not None)))
    if incident is None and (labels := _labels(alert)):
        blocks.append(context(*labels))
    blocks += [context(line) for line in (_flapping(alert), _decided(alert, now=now)) if line]
    if firing and not known_service:
        blocks.append(context(_no_service(alert)))
    offers_triage = known_service and not handled
    review = review_button(incident.run) if incident is not None else None
    buttons = [] if review is None else [review]
    if firing:
        buttons += _buttons(alert, known_service=offers_triage, now=now)
    if buttons:
        blocks.append(actions(*buttons))
    return blocks


def _told(alert: Alert, *, brief: bool) -> list[str]:
    """Return what the alert says, while that is so; afterwards only where nothing else is known."""
    if brief and alert.status == "resolved":
        return []
    more = "" if brief or alert.description == alert.summary else prose(alert.description, 600)
    return [line for line in (bold(_rounded(alert.summary), 400), _rounded(more)) if line]


def _rounded(text: str) -> str:
    """Return a text with its shares written as everywhere: ``8.017%`` is ``8 %``."""
    return _PERCENT.sub(lambda found: percent(float(found[1]) / 100), text)


def _progress(alert: Alert, incident: AlertIncident | None) -> list[str]:
    """Return how the alert's triage goes, or went, and which other alerts it covers."""
    if incident is None:
        return []
    run = incident.run
    colour, words = headline(run)
    if incident.is_about(alert):
        without_cause = run.outcome in ("no_fault_found", "unclear")
        verdict = f"{colour} *Triage: {words}.*" if without_cause else ""
        return [line for line in (verdict, *state_lines(run), _covered(incident.others)) if line]
    where = f" in {place}" if (place := channel(run.origin.channel)) else ""
    joined = f"{colour} Part of the triage of {bold(run.service, 130)}{where}: {words}."
    if run.outcome is None or alert.status == "firing":
        return [joined]
    return [joined, *state_lines(run)]


def _covered(others: Sequence[Alert]) -> str:
    """Return the other alerts of an incident, those that still fire first."""
    firing = [prose(f"{one.service}: {one.name}", 120) for one in others if one.status == "firing"]
    ended = [prose(f"{one.service}: {one.name}", 120) for one in others if one.status == "resolved"]
    parts = [
        f"*Also firing:* {listed(firing, most=_MOST_OTHERS)}." if firing else "",
        f"*Also resolved:* {listed(ended, most=_MOST_OTHERS)}." if ended else "",
    ]
    return " ".join(part for part in parts if part)


def _labels(alert: Alert) -> list[str]:
    shown = [code(f"{name}={value}", 120) for name, value in alert.labels.items() if name not in _SHOWN]
    return shown[:_MOST_LABELS]


def alert_colour(alert: Alert) -> str:
    """Return the colour of an alert, from its severity; an unknown severity counts as the worst."""
    if alert.status == "resolved":
        return GOOD
    return NEEDS_YOU if alert.unknown else _COLOURS.get(alert.severity.lower(), BAD)


def _lasted(alert: Alert, *, now: datetime) -> str:
    if alert.ends_at is None:
        return ""
    seconds = (min(alert.ends_at, now) - alert.starts_at).total_seconds()
    return f" after {duration(seconds)}" if seconds >= 0 else ""


def _small_print(alert: Alert, *, brief: bool) -> list[str]:
    parts = [f"{_SINCE[alert.unknown, alert.status]} {local_day(alert.starts_at)}"]
    if alert.value and not brief:
        parts.append(f"measured: {prose(alert.value, 200)}")
    if alert.severity:
        parts.append(f"severity {prose(alert.severity, 40)}")
    source = human(alert.source) or "Source"
    return [*parts, link(alert.url, "View source") or f"from {prose(source, 60)}"]


def _flapping(alert: Alert) -> str:
    if alert.flapping:
        fired = several(alert.times, "time")
        return f"flapping: fired {fired} within an hour; updates stay in this message until it is calm"
    if alert.ended_before is not None and alert.status == "firing":
        return f"it came back: reported as over at {local(alert.ended_before)}, and firing again since"
    return f"fired {several(alert.times, 'time')}" if alert.times > 1 else ""


def _decided(alert: Alert, *, now: datetime) -> str:
    parts: list[str] = []
    if alert.closed_by is not None:
        parts.append(f"marked as over by {who(alert.closed_by)}; its source reported no end")
    elif alert.closed_because:
        parts.append(f"closed, because {prose(alert.closed_because, 200)}; its source reported no end")
    if alert.acknowledged_at is not None:
        parts.append(f"acknowledged by {who(alert.acknowledged_by)} at {local(alert.acknowledged_at)}")
    if alert.silenced_until is not None and alert.silence_left_s(now=now) > 0:
        parts.append(f"silenced until {local(alert.silenced_until)} by {who(alert.silenced_by)}")
    return " · ".join(parts)


def _buttons(alert: Alert, *, known_service: bool, now: datetime) -> list[JsonObject]:
    offered: list[JsonObject] = []
    if known_service:
        offered.append(button("Triage", action_id=ids.TRIAGE, value=alert.id, style="primary"))
    if alert.acknowledged_by is None:
        offered.append(button("Acknowledge", action_id=ids.ACKNOWLEDGE, value=alert.id))
    if alert.silence_left_s(now=now) == 0:
        offered.append(button("Silence 1 h", action_id=ids.SILENCE, value=alert.id))
    sure = confirmation(
        "Mark this alert as over?",
        "Only if it has ended and its source did not report that. If it is reported again, it comes back.",
        yes="Mark as over",
    )
    offered.append(button("Mark as over", action_id=ids.MARK_OVER, value=alert.id, confirm=sure))
    return offered


def _no_service(alert: Alert) -> str:
    if not alert.service:
        return (
            "This alert has no `service` label, so I don't know what to triage."
            " Run `/triage &lt;service&gt;`."
        )
    return f"{code(alert.service, 80)} is not in the catalogue, so I cannot triage it."
