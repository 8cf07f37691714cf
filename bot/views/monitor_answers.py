"""Answers to commands on monitors, as mrkdwn, for the person who sent the command."""

from __future__ import annotations

from datetime import datetime

from bot.domain.formatting import duration
from bot.views.limits import code, prose

_VERDICTS = {True: "🟢 It holds", False: "🔴 It does not hold", None: "🟠 It could not be measured"}


def paused_text(name: str, until: datetime | None) -> str:
    """Return that a monitor is paused, and until when; ``None``: until it is resumed."""
    end = f"until someone runs `/monitor resume {name}`" if until is None else f"until {_moment(until)}"
    return f"⏸️ `{name}` is paused {end}. It makes no checks until then. An open alert stays open."


def resumed_text(name: str, *, was_paused: bool) -> str:
    """Return that a monitor is checking again, or was all the time."""
    if not was_paused:
        return f"`{name}` was not paused; it is still checking."
    return f"▶️ `{name}` is checking again, from its next slot."


def muted_text(name: str, until: datetime) -> str:
    """Return that a monitor posts no new alerts, and until when."""
    return (
        f"🔕 `{name}` is muted until {_moment(until)}. It keeps checking but posts no new alerts."
        " Anything still firing then will be posted."
    )


def unmuted_text(name: str, *, was_muted: bool) -> str:
    """Return that a monitor posts alerts again, or did all the time."""
    return f"🔔 `{name}` is no longer muted." if was_muted else f"`{name}` was not muted."


def reading_text(name: str, *, ok: bool | None, saw: str, expected: str, took_s: float) -> str:
    """Return what a single check of a monitor measured; ``ok`` is ``None`` if nothing could be."""
    return (
        f"{_VERDICTS[ok]}: `{name}` saw {prose(saw, 1_000) or 'nothing to show'}\n"
        f"Expected: {code(expected, 1_000)} · took {duration(took_s)} · not recorded."
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
