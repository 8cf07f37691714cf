"""The words for states, times, numbers and people, the same everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.domain.diagnoses.finding import Evidence
from bot.domain.formatting import BYTES, SECONDS, SHARES, figure, number, percent
from bot.domain.people import Person
from bot.domain.runs.ending import Ending
from bot.domain.runs.event import StepOutcome
from bot.domain.runs.run import Run
from bot.views.limits import prose

RUNNING, WAITING, GOOD, BAD, ENDED, NEEDS_YOU = "🔵", "🟡", "🟢", "🔴", "⚪", "🟠"
REMINDER = "⏰"
TARGET = "🎯"
DONE, BUSY, OPEN, FAILED, PAUSED, SKIPPED, WARNING, UNDONE, ALARM = (
    "✅", "⏳", "▫️", "❌", "⏸️", "⚪", "⚠️", "↩️", "🚨",
)  # fmt: skip

ENDINGS: dict[Ending, tuple[str, str]] = {
    "recovered": (GOOD, "recovered"),
    "deployed": (GOOD, "deployed"),
    "stopped safely": (ENDED, "stopped safely"),
    "aborted": (ENDED, "aborted"),
    "blocked": (ENDED, "blocked"),
    "refused": (ENDED, "refused"),
    "needs a person": (BAD, "needs a person"),
    "no fault found": (GOOD, "no fault found"),
    "cause unclear": (NEEDS_YOU, "cause unclear"),
    "rejected": (ENDED, "rejected"),
    "expired": (ENDED, "expired without a decision"),
    "withdrawn": (ENDED, "plan withdrawn"),
    "plan only": (ENDED, "plan only, nothing was changed"),
    "done": (GOOD, "done"),
}
"""Colour and words of each way in which a run ends."""

STEP_OUTCOMES: dict[StepOutcome, tuple[str, str]] = {
    "ok": (DONE, "ok"),
    "failed": (FAILED, "failed"),
    "unavailable": (WARNING, "could not be read"),
    "garbage": (WARNING, "sent an answer I cannot read"),
    "not_configured": (SKIPPED, "not configured"),
    "timed_out": (WARNING, "did not answer in time"),
    "crashed": (WARNING, "crashed"),
    "in_doubt": (ALARM, "in doubt"),
}
"""Mark and words of each outcome of a step."""

_CONFIDENCE = ((0.85, "very likely"), (0.6, "likely"), (0.3, "possible"), (0.0, "unlikely"))
_CHAT_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
_UTC_TIME = re.compile(r"(?:(\d{4}-\d\d-\d\d) )?\b(\d\d):(\d\d)(?::(\d\d))? UTC")
_IDS = re.compile(
    r"(?:,? in commit | \(|:? run )(?:run )?[`]?r?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}[`]?\)?"
)
_SCALED = SHARES | SECONDS | BYTES
"""Units whose values are shown in another unit, where a number without a unit would mislead."""


def likelihood(confidence: float) -> str:
    """Return a confidence in words and per cent: ``very likely (92 %)``."""
    return f"{confidence_word(confidence)} ({percent(confidence)})"


def confidence_word(confidence: float) -> str:
    """Return a confidence in words only."""
    return next(word for least, word in _CONFIDENCE if confidence >= least)


def utc(at: datetime, *, day: datetime) -> str:
    """Return the time of an event, in UTC like the logs and graphs it is compared with.

    The date is left out if it is the date of ``day``.
    """
    return at.strftime("%H:%M:%S UTC" if at.date() == day.date() else "%Y-%m-%d %H:%M:%S UTC")


def local(at: datetime) -> str:
    """Return a time that people plan by, in the reader's time zone."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def local_day(at: datetime) -> str:
    """Return a day and time in the reader's time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def without_ids(text: str) -> str:
    """Return a text without commits' and runs' ids, which *Details* has."""
    return _IDS.sub("", text)


def in_readers_zone(text: str, *, near: datetime) -> str:
    """Return escaped text with its UTC times as tokens in the reader's zone, to the minute.

    A time without a date means the one closest to ``near``.
    """
    return _UTC_TIME.sub(lambda found: _token(found, near=near), text)


def _token(found: re.Match[str], *, near: datetime) -> str:
    day, hour, minute, second = found.groups()
    try:
        if day:
            return local_day(datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}+00:00"))
        same = near.astimezone(UTC).replace(
            hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=0
        )
    except ValueError:
        return found.group()
    return local(min((same + timedelta(days=days) for days in (-1, 0, 1)), key=lambda at: abs(at - near)))


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit; the unit may come from outside."""
    return figure(value, prose(unit, 40))


def compared(evidence: Evidence) -> str:
    """Return a value beside the usual one: ``12 % (usually 0.2 %)``; empty without a value."""
    if evidence.value is None:
        return ""
    now = quantity(evidence.value, evidence.unit)
    if evidence.baseline is not None and evidence.unit not in _SCALED:
        return f"{now} (usually {number(evidence.baseline)})"
    return (
        now if evidence.baseline is None else f"{now} (usually {quantity(evidence.baseline, evidence.unit)})"
    )


def who(person: Person | None) -> str:
    """Return a mention where the id is the chat's, else the person's name."""
    if person is None:
        return "someone"
    if _CHAT_ID.fullmatch(person.id):
        return f"<@{person.id}>"
    return prose(person.name or person.id, 80) or "someone"


def pointed_to(run: Run, *, link: str, asker: Person, doing: str) -> str:
    """Return who is at it already, and where, as a sentence for somebody who asked for the same."""
    subject = "You are" if run.requested_by.id == asker.id else f"{who(run.requested_by)} is"
    if link:
        return f"{subject} already {doing}: <{link}|open the thread>."
    where = f" in {channel(run.origin.channel)}" if run.origin.channel else ""
    return f"{subject} already {doing}{where}."


def channel(channel_id: str) -> str:
    """Return a link to a channel; empty if the id is not the chat's."""
    return f"<#{channel_id}>" if _CHANNEL_ID.fullmatch(channel_id) else ""


def names_in(run: Run) -> dict[str, str]:
    """Return the names of the people in a run by id, for plain text."""
    people = [run.requested_by, run.cancelled_by, *(one.by for one in run.steering.said)]
    for gate in run.approvals.values():
        people += [gate.requested_by, gate.decided_by, *gate.approved_by]
    return {person.id: person.name or person.id for person in people if person is not None}


def groups_in(run: Run) -> dict[str, str]:
    """Return the names of the user groups that a run mentions by id, for text that notifies no one."""
    audiences = [gate.audience for gate in run.approvals.values() if gate.audience is not None]
    return {one: name for audience in audiences for one, name in audience.groups.items()}


def sentence(text: str) -> str:
    """Return a text with a full stop, unless it already ends with punctuation."""
    return text if not text or text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def capital(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def after_echo(text: str, shown: str) -> str:
    """Return a text without the words just shown, if it begins with them: ``No fault found: all is well``."""
    rest = text[len(shown) :].lstrip(" :.") if text.lower().startswith(shown.lower()) else text
    return capital(rest) or text


def human(name: str) -> str:
    """Return a name as words: ``roll_back`` is ``Roll back``."""
    return capital(name.replace("_", " ").replace("-", " ").strip())
