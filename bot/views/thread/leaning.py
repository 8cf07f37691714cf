"""What the evidence points to while it comes in, and how it came to that."""

from __future__ import annotations

from typing import assert_never

from bot.domain.runs.event import PreliminaryDiagnosisChanged
from bot.domain.runs.run_states import PhaseState
from bot.views.limits import prose
from bot.views.phrases import (
    TARGET,
    capital,
    likelihood,
    sentence,
)
from bot.views.thread.state import name_of

_MOST = 6


def leaning_lines(state: PhaseState) -> list[str]:
    """Say what it looks like so far; once all is in, how each answer moved it."""
    if not state.leanings:
        return []
    if state.outcome is None:
        return [f"{TARGET} *So far:* {_moved(state, state.leanings[-1])}"]
    if len(state.leanings) == 1:
        return []  # nothing has moved since: the diagnosis says it
    left_out = state.leanings[:-_MOST]
    lines = [f"• {capital(_moved(state, event))}" for event in state.leanings[-_MOST:]]
    return ["*How it came to that*", *([f"• {len(left_out)} turns before"] if left_out else []), *lines]


def _moved(state: PhaseState, event: PreliminaryDiagnosisChanged) -> str:
    leaning = event.leaning
    step = state.steps.get(event.step)
    by = prose(name_of(step) if step is not None else event.step, 80)
    sure = likelihood(leaning.confidence)
    what = sentence(prose(leaning.summary, 300))
    match event.move:
        case "first":
            return f"{sure} by {by}: {what}"
        case "strengthened" | "weakened":
            return f"{event.move} by {by}, now {sure}: {what}"
        case "replaced":
            return f"{by} points elsewhere, {sure}: {what}"
        case "gone":
            return f"{by} speaks against it; nothing else is suspected."
        case _:
            assert_never(event.move)
