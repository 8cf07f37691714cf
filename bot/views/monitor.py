"""Monitors as people see them: one line each, worst first, and one with everything that is known."""

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

_LOOKS = {
    "firing": (BAD, "firing"),
    "unknown": (NEEDS_YOU, "unknown"),
    "breaching": (WAITING, "breaching"),
    "unmeasured": (NEEDS_YOU, "not measured"),
    "paused": (ENDED, "paused"),
    "new": (ENDED, "new"),
    "ok": (GOOD, "ok"),
}
"""Colour and words of each way a monitor can be, worst first."""
_RANKS = {condition: rank for rank, condition in enumerate(_LOOKS)}
_BAD = frozenset({"firing", "unknown", "breaching", "unmeasured"})

MOST_LISTED = 20
"""So many monitors are listed one by one; the others are counted."""
_TITLE_CHARS, _NAME_CHARS, _VALUE_CHARS = 50, 130, 80
_ROOM_FOR_THE_REST = 300


@dataclass(frozen=True, kw_only=True)
class MonitorView:
    """A monitor and what is known of it."""

    name: str
    """In full, ``service/id``."""
    monitor: Monitor
    state: MonitorState
    muted: tuple[Person, datetime] | None = None
    """By whom and until when."""

    def condition(self, *, now: datetime) -> str:
        """Say in one word how it is; one that is paused is paused, whatever it saw before."""
        return "paused" if self.state.paused(now=now) else self.state.watched.health

    def is_bad(self, *, now: datetime) -> bool:
        """Tell whether somebody should look at it."""
        return self.condition(now=now) in _BAD


def worst_first(sights: Sequence[MonitorView], *, now: datetime) -> list[MonitorView]:
    """Sort by how bad they are, then by name."""
    return sorted(sights, key=lambda sight: (_RANKS[sight.condition(now=now)], sight.name))


def counted(sights: Sequence[MonitorView], *, now: datetime) -> str:
    """Count by condition, worst first: ``🔴 1 firing · 🟢 12 ok``."""
    counts = Counter(sight.condition(now=now) for sight in sights)
    return " · ".join(
        f"{colour} {counts[name]:,} {words}" for name, (colour, words) in _LOOKS.items() if counts[name]
    )


def monitor_list(sights: Sequence[MonitorView], *, now: datetime, command: str) -> str:
    """List monitors, worst first; what goes beyond ``MOST_LISTED`` is counted."""
    if not sights:
        return "There are no monitors here yet: add some to the catalogue, under `monitors:` of a service."
    ranked = worst_first(sights, now=now)
    lines = [monitor_line(sight, now=now) for sight in ranked[:MOST_LISTED]]
    head = f"*Monitors*: {counted(sights, now=now)}"
    room = TEXT_CHARS - len(head) - _ROOM_FOR_THE_REST
    shown = _that_fit(lines, room)
    rest = ranked[len(shown) :]
    if rest:
        shown.append(f"and {len(rest):,} more: {counted(rest, now=now)}")
        shown.append(f"`{command} list &lt;service&gt;` lists those of one service.")
    return "\n".join((head, *shown))


def _that_fit(lines: Sequence[str], room: int) -> list[str]:
    """Take lines while there is room, whole ones only."""
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    return shown


def monitor_line(sight: MonitorView, *, now: datetime) -> str:
    """Say a monitor in one line."""
    colour, words = _LOOKS[sight.condition(now=now)]
    title = bold(sight.monitor.title or sight.monitor.id, _TITLE_CHARS)
    parts = [
        f"{colour} {title} {code(sight.name, _NAME_CHARS)}: {words}",
        prose(sight.state.value, _VALUE_CHARS),
        _looked(sight.state, now=now),
        *_held_back(sight, now=now),
    ]
    return " · ".join(part for part in parts if part)


def monitor_card(sight: MonitorView, *, now: datetime) -> str:
    """Say everything that is known of a monitor."""
    monitor, state = sight.monitor, sight.state
    colour, words = _LOOKS[sight.condition(now=now)]
    since = _since(state)
    lines = [
        f"{colour} {bold(monitor.title or monitor.id)} {code(sight.name, _NAME_CHARS)}",
        _dotted(words + (f" since {local_day(since)}" if since else ""), f"severity {monitor.severity}"),
        _dotted(prose(state.value, 600), _looked(state, now=now), _next(sight, now=now)),
        *(f"• {held}" for held in _held_back(sight, now=now)),
        *_flapping(state),
        *(f"• *{name}*: {value}" for name, value in _definition(monitor).items() if value),
    ]
    return cut_lines("\n".join(line for line in lines if line), TEXT_CHARS)


def _definition(monitor: Monitor) -> dict[str, str]:
    """Say what the catalogue says, under the names it uses there."""
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


def _looked(state: MonitorState, *, now: datetime) -> str:
    if state.seen_at is None:
        return "has not looked yet"
    return f"looked {duration(max(0.0, (now - state.seen_at).total_seconds()))} ago"


def _next(sight: MonitorView, *, now: datetime) -> str:
    """Tell the next slot, which is no look while it is paused."""
    if sight.state.paused(now=now):
        return ""
    slot = sight.monitor.next_slot(sight.name, after=now)
    return "" if slot is None else f"next at {utc(slot, day=now)}"


def _held_back(sight: MonitorView, *, now: datetime) -> list[str]:
    """Say who stopped it from looking or from being heard, and until when."""
    held: list[str] = []
    pause = sight.state.pause
    if pause is not None and sight.state.paused(now=now):
        end = "until resumed" if pause.until is None else f"until {local_day(pause.until)}"
        held.append(f"paused by {who(pause.by)} {end}")
    if sight.muted is not None and sight.muted[1] > now:
        held.append(f"muted by {who(sight.muted[0])} until {local_day(sight.muted[1])}")
    return held


def _flapping(state: MonitorState) -> list[str]:
    episode = state.watched.episode
    if episode is None or not (state.watched.firing and episode.flapping):
        return []
    return [f"• flapping: it came back {episode.times} times, and is kept open until it is calm"]


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
