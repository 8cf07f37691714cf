"""Monitors as text: a list with one line each, worst first, and a card with everything known about one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.durations import format_duration
from bot.domain.formatting import duration
from bot.domain.monitoring.monitor import Monitor, MonitorState
from bot.domain.people import Person
from bot.views.limits import TEXT_CHARS, bold, code, cut_lines, prose
from bot.views.phrases import (
    BAD,
    ENDED,
    GOOD,
    NEEDS_YOU,
    WAITING,
    local_day,
    utc,
    who,
)

_CONDITIONS = {
    "firing": (BAD, "firing"),
    "unknown": (NEEDS_YOU, "unknown"),
    "breaching": (WAITING, "breaching"),
    "unmeasured": (NEEDS_YOU, "not measured"),
    "paused": (ENDED, "paused"),
    "new": (ENDED, "new"),
    "ok": (GOOD, "ok"),
}
"""Colour and words of each condition of a monitor, worst first."""
_RANKS = {condition: rank for rank, condition in enumerate(_CONDITIONS)}
_BAD = frozenset({"firing", "unknown", "breaching", "unmeasured"})

MOST_LISTED = 20
"""The number of monitors that are listed one by one; the others are counted."""
_TITLE_CHARS, _NAME_CHARS, _VALUE_CHARS = 50, 130, 80
_ROOM_FOR_THE_REST = 300


@dataclass(frozen=True, kw_only=True)
class MonitorView:
    """A monitor and what is known about it."""

    name: str
    """The full name, ``service/id``."""
    monitor: Monitor
    state: MonitorState
    muted: tuple[Person, datetime] | None = None
    """Who muted it, and until when."""

    def condition(self, *, now: datetime) -> str:
        """Return its condition as one word; a paused monitor is paused, whatever it saw before."""
        return "paused" if self.state.paused(now=now) else self.state.watched.health

    def is_bad(self, *, now: datetime) -> bool:
        """Return whether it needs attention."""
        return self.condition(now=now) in _BAD


def worst_first(views: Sequence[MonitorView], *, now: datetime) -> list[MonitorView]:
    """Return the monitors, worst first, then by name."""
    return sorted(views, key=lambda view: (_RANKS[view.condition(now=now)], view.name))


def counted(views: Sequence[MonitorView], *, now: datetime) -> str:
    """Return the count of each condition, worst first: ``🔴 1 firing · 🟢 12 ok``."""
    counts = Counter(view.condition(now=now) for view in views)
    return " · ".join(
        f"{colour} {counts[name]:,} {words}" for name, (colour, words) in _CONDITIONS.items() if counts[name]
    )


def monitor_list(views: Sequence[MonitorView], *, now: datetime, command: str) -> str:
    """Return a list of monitors, worst first; those beyond ``MOST_LISTED`` are counted."""
    if not views:
        return "No monitors yet. Add some to the catalogue, under `monitors:` of a service."
    ranked = worst_first(views, now=now)
    lines = [monitor_line(view, now=now) for view in ranked[:MOST_LISTED]]
    head = f"*Monitors*: {counted(views, now=now)}"
    room = TEXT_CHARS - len(head) - _ROOM_FOR_THE_REST
    shown = _that_fit(lines, room)
    rest = ranked[len(shown) :]
    if rest:
        shown.append(f"and {len(rest):,} more: {counted(rest, now=now)}")
        shown.append(f"`{command} list &lt;service&gt;` lists those of one service.")
    return "\n".join((head, *shown))


def _that_fit(lines: Sequence[str], room: int) -> list[str]:
    """Return as many whole lines as fit into ``room`` characters."""
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    return shown


def monitor_line(view: MonitorView, *, now: datetime) -> str:
    """Return a monitor as one line."""
    colour, words = _CONDITIONS[view.condition(now=now)]
    title = bold(view.monitor.title or view.monitor.id, _TITLE_CHARS)
    parts = [
        f"{colour} {title} {code(view.name, _NAME_CHARS)}: {words}",
        prose(view.state.value, _VALUE_CHARS),
        _checked(view.state, now=now),
        *_held_back(view, now=now),
    ]
    return " · ".join(part for part in parts if part)


def monitor_card(view: MonitorView, *, now: datetime) -> str:
    """Return everything known about a monitor."""
    monitor, state = view.monitor, view.state
    colour, words = _CONDITIONS[view.condition(now=now)]
    since = _since(state)
    lines = [
        f"{colour} {bold(monitor.title or monitor.id)} {code(view.name, _NAME_CHARS)}",
        _dotted(words + (f" since {local_day(since)}" if since else ""), f"severity {monitor.severity}"),
        _dotted(prose(state.value, 600), _checked(state, now=now), _next(view, now=now)),
        *(f"• {held}" for held in _held_back(view, now=now)),
        *_flapping(state),
        *(f"• *{name}*: {value}" for name, value in _definition(monitor).items() if value),
    ]
    return cut_lines("\n".join(line for line in lines if line), TEXT_CHARS)


def _definition(monitor: Monitor) -> dict[str, str]:
    """Return the monitor's settings, by their names in the catalogue."""
    arguments = json.dumps(monitor.arguments, ensure_ascii=False) if monitor.arguments else ""
    zone = f" in {prose(monitor.time_zone, 60)}" if monitor.cron else ""
    return {
        "probe": code(monitor.probe),
        "with": code(arguments, 600),
        "expect": code(monitor.expect, 600),
        "cron" if monitor.cron else "every": code(monitor.cron or format_duration(monitor.every)) + zone,
        "for": format_duration(monitor.breached_for),
        "unknown_for": format_duration(monitor.unknown_for),
        "timeout": format_duration(monitor.timeout),
        "then": code(monitor.then or ""),
        "missed": monitor.missed,
        "after_deploy": "" if monitor.after_deploy is None else format_duration(monitor.after_deploy),
    }


def _checked(state: MonitorState, *, now: datetime) -> str:
    if state.seen_at is None:
        return "not checked yet"
    return f"checked {duration(max(0.0, (now - state.seen_at).total_seconds()))} ago"


def _next(view: MonitorView, *, now: datetime) -> str:
    """Return the time of the next check; empty while it is paused."""
    if view.state.paused(now=now):
        return ""
    slot = view.monitor.next_slot(view.name, after=now)
    return "" if slot is None else f"next check at {utc(slot, day=now)}"


def _held_back(view: MonitorView, *, now: datetime) -> list[str]:
    """Return who paused or muted it, and until when."""
    held: list[str] = []
    pause = view.state.pause
    if pause is not None and view.state.paused(now=now):
        end = "until resumed" if pause.until is None else f"until {local_day(pause.until)}"
        held.append(f"paused by {who(pause.by)} {end}")
    if view.muted is not None and view.muted[1] > now:
        held.append(f"muted by {who(view.muted[0])} until {local_day(view.muted[1])}")
    return held


def _flapping(state: MonitorState) -> list[str]:
    episode = state.watched.episode
    if episode is None or not (state.watched.firing and episode.flapping):
        return []
    return [f"• flapping: it came back {episode.times} times; stays open until it is calm"]


def _since(state: MonitorState) -> datetime | None:
    watched = state.watched
    match watched.health:
        case "new":
            return None
        case "firing" | "unknown":
            seconds = watched.episode.began_s if watched.episode else None
        case "breaching":
            seconds = watched.breached_since_s
        case "unmeasured":
            seconds = watched.unmeasured_since_s
        case "ok":
            seconds = watched.calm_since_s
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _dotted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
