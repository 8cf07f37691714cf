"""BACKGROUND: the progress of the watch after a change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.formatting import several
from bot.domain.model import JsonObject
from bot.domain.runs.event import WatchSampled
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Background
from bot.views.blocks import section
from bot.views.limits import bold, prose
from bot.views.phrases import (
    BAD,
    BUSY,
    DONE,
    FAILED,
    SKIPPED,
    local,
)
from bot.views.thread.state import calm_word, title_of, took

_MOST = 30
_PARAM = re.compile(r"params\.(\w+)")


def watch_blocks(run: Run, phase: Background) -> list[JsonObject]:
    """Return the latest checks, the last result, and the end of the watch."""
    state = run.phases[phase.id]
    title = bold(title_of(phase), 120)
    checks = several(state.samples_total, "check")
    last = prose(state.samples[-1].text, 300) if state.samples else ""
    match state.outcome:
        case None if run.outcome is not None:
            first = f"{SKIPPED} {title}: stopped after {checks}"
        case None:
            ends = ends_at(run, phase)
            first = f"{BUSY} {title}" + (f" until {local(ends)}" if ends else "")
        case "ok":
            return [section(f"{DONE} {title}: {calm_word(state).lower()} for {took(state)}, {checks}.")]
        case "breached":
            what = "The problem came back" if run.diagnosis is not None else "It failed"
            first = f"{BAD} *{what} while I watched*, after {checks}"
        case _:
            first = f"{FAILED} {title}: {prose(state.why)}"
    return [section(first, bar(state.samples, most=_MOST), last)]


def bar(samples: Sequence[WatchSampled], *, most: int) -> str:
    """Return the latest checks as a bar: green good, red bad, white not measured."""
    return "".join({True: "🟩", False: "🟥", None: "⬜"}[sample.ok] for sample in samples[-most:])


def ends_at(run: Run, phase: Background) -> datetime | None:
    """Return when a watch ends, if its length is a number or one of the run's parameters."""
    began = run.phases[phase.id].started_at
    found = _PARAM.fullmatch(phase.for_s.strip()) if isinstance(phase.for_s, str) else None
    seconds = run.params.get(found[1]) if found else phase.for_s
    if began is None or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return began + timedelta(seconds=seconds)
