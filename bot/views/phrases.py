"""How the bot says states, times, numbers and people; the same words everywhere."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain.diagnoses.finding import Evidence
from bot.domain.formatting import BYTES, SECONDS, SHARES, figure, number, percent
from bot.domain.people import Person
from bot.domain.runs.event import RunOutcome, StepOutcome
from bot.domain.runs.run import Run
from bot.views.limits import prose

RUNNING, WAITING, GOOD, BAD, ENDED, NEEDS_YOU = "🔵", "🟡", "🟢", "🔴", "⚪", "🟠"
REMINDER = "⏰"
TARGET = "🎯"
DONE, BUSY, OPEN, FAILED, PAUSED, SKIPPED, WARNING, UNDONE, ALARM = (
    "✅", "⏳", "▫️", "❌", "⏸️", "⚪", "⚠️", "↩️", "🚨",
)  # fmt: skip

OUTCOMES: dict[RunOutcome, tuple[str, str]] = {
    "recovered": (GOOD, "recovered"),
    "no_fault_found": (GOOD, "no fault found"),
    "unclear": (NEEDS_YOU, "cause unclear"),
    "no_remedy": (NEEDS_YOU, "cause found, no remedy known"),
    "rejected": (ENDED, "rejected"),
    "expired": (ENDED, "expired, nobody decided"),
    "failed": (BAD, "failed"),
    "not_recovered": (BAD, "fix applied, not recovered"),
    "cancelled": (ENDED, "cancelled"),
    "done": (GOOD, "done"),
    "breached": (BAD, "came back"),
}
"""Colour and words of each way in which a run ends."""

STEP_OUTCOMES: dict[StepOutcome, tuple[str, str]] = {
    "ok": (DONE, "ok"),
    "failed": (FAILED, "failed"),
    "unavailable": (WARNING, "could not be read"),
    "garbage": (WARNING, "answered with something I cannot read"),
    "not_configured": (SKIPPED, "not set up"),
    "timed_out": (WARNING, "did not answer in time"),
    "crashed": (WARNING, "crashed"),
    "in_doubt": (ALARM, "in doubt"),
}
"""Mark and words of each way in which a step ends."""

_CONFIDENCE = ((0.85, "very likely"), (0.6, "likely"), (0.3, "possible"), (0.0, "unlikely"))
_CHAT_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
_SCALED = SHARES | SECONDS | BYTES
"""Units that are shown in another one, so that a bare number would mislead."""


def likelihood(confidence: float) -> str:
    """Say a confidence in words and per cent: ``very likely (92 %)``."""
    return f"{confidence_word(confidence)} ({percent(confidence)})"


def confidence_word(confidence: float) -> str:
    """Say a confidence in words alone."""
    return next(word for least, word in _CONFIDENCE if confidence >= least)


def utc(at: datetime, *, day: datetime) -> str:
    """Say when something happened, in UTC like the logs and graphs it is compared with.

    The date is left out where it is that of ``day``.
    """
    return at.strftime("%H:%M:%S UTC" if at.date() == day.date() else "%Y-%m-%d %H:%M:%S UTC")


def local(at: datetime) -> str:
    """Say a time that people plan by, on the reader's own clock."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def local_day(at: datetime) -> str:
    """Say a day and time on the reader's own clock."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def quantity(value: float, unit: str) -> str:
    """Say a value with its unit, which may come from outside."""
    return figure(value, prose(unit, 40))


def compared(evidence: Evidence) -> str:
    """Say a value against the ordinary one: ``12 % (usually 0.2 %)``; empty without a value."""
    if evidence.value is None:
        return ""
    now = quantity(evidence.value, evidence.unit)
    if evidence.baseline is not None and evidence.unit not in _SCALED:
        return f"{now} (usually {number(evidence.baseline)})"
    return (
        now if evidence.baseline is None else f"{now} (usually {quantity(evidence.baseline, evidence.unit)})"
    )


def who(person: Person | None) -> str:
    """Name a person: a mention where the id is the chat's, else the name."""
    if person is None:
        return "somebody"
    if _CHAT_ID.fullmatch(person.id):
        return f"<@{person.id}>"
    return prose(person.name or person.id, 80) or "somebody"


def channel(channel_id: str) -> str:
    """Name a channel; empty where the id is not the chat's."""
    return f"<#{channel_id}>" if _CHANNEL_ID.fullmatch(channel_id) else ""


def names_in(run: Run) -> dict[str, str]:
    """Map the ids of everybody in a run to their names, for plain text."""
    people = [run.requested_by, run.cancelled_by]
    for gate in run.approvals.values():
        people += [gate.requested_by, gate.decided_by, *gate.approved_by]
    return {person.id: person.name or person.id for person in people if person is not None}


def sentence(text: str) -> str:
    """End a text with a full stop, unless it ends otherwise."""
    return text if not text or text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def capital(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def after_echo(text: str, said: str) -> str:
    """Leave out what was just said where a text begins with it: ``No fault found: all is well``."""
    rest = text[len(said) :].lstrip(" :.") if text.lower().startswith(said.lower()) else text
    return capital(rest) or text


def human(name: str) -> str:
    """Make words of a name: ``roll_back`` is ``Roll back``."""
    return capital(name.replace("_", " ").replace("-", " ").strip())
