"""How the bot says states, times, numbers and people; the same words everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.diagnoses.finding import Evidence
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
_SHARES = frozenset({"share", "ratio", "fraction"})
_SCALED = frozenset({"s", "seconds", "bytes", "B"})
"""Units that are shown in another one, so that a bare number would mislead."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ONE, _SHORT = 0.9995, 9.95
_MANY = 1000
_WHOLE = 0.1


def likelihood(confidence: float) -> str:
    """Say a confidence in words and per cent: ``very likely (92 %)``."""
    return f"{confidence_word(confidence)} ({confidence * 100:.0f} %)"


def confidence_word(confidence: float) -> str:
    """Say a confidence in words alone."""
    return next(word for least, word in _CONFIDENCE if confidence >= least)


def duration(seconds: float) -> str:
    """Say a duration as a person would: ``350 ms``, ``1.2 s``, ``4 min 12 s``, ``2 h 5 min``."""
    if seconds < _ONE:
        return f"{max(0, seconds) * 1000:.0f} ms"
    if seconds < _SHORT:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two_units(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two_units(whole, _HOUR, "h", _MINUTE, "min")
    return _two_units(whole, _DAY, "d", _HOUR, "h")


def _two_units(whole: int, size: int, name: str, small: int, small_name: str) -> str:
    rest = whole % size // small
    return f"{whole // size} {name}" + (f" {rest} {small_name}" if rest else "")


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


def number(value: float) -> str:
    """Say a number with three digits that matter."""
    if abs(value) >= _MANY:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def quantity(value: float, unit: str) -> str:
    """Say a value with its unit; shares become per cent, seconds become durations."""
    if unit in _SHARES:
        return f"{value * 100:.0f} %" if abs(value) >= _WHOLE else f"{number(round(value * 100, 1))} %"
    if unit in {"s", "seconds"}:
        return duration(value) if value >= 0 else f"{number(value)} s"
    if unit in {"bytes", "B"}:
        return f"{number(value / 1e6)} MB"
    return f"{number(value)} {prose(unit, 40)}".rstrip()


def compared(evidence: Evidence) -> str:
    """Say a value against the ordinary one: ``12 % (usually 0.2 %)``; empty without a value."""
    if evidence.value is None:
        return ""
    now = quantity(evidence.value, evidence.unit)
    if evidence.baseline is not None and evidence.unit not in _SHARES | _SCALED:
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


def listed(items: Sequence[str], *, last: str = "and") -> str:
    """Join words as in a sentence: ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def several(count: int, one: str, many: str = "") -> str:
    """Count things: ``1 step``, ``3 steps``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


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
