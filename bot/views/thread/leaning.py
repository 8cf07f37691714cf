"""The preliminary diagnosis while evidence comes in, and how each answer changed it."""

from __future__ import annotations

from typing import assert_never

from bot.domain.formatting import several
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
    """Return the diagnosis so far; once all answers are in, how each one changed it."""
    if not state.leanings:
        return []
    if state.outcome is None:
        return [f"{TARGET} *So far:* {_moved(state, state.leanings[-1])}"]
    if len(state.leanings) == 1:
        return []  # no later answer changed it: the diagnosis shows it
    left_out = state.leanings[:-_MOST]
    lines = [f"• {capital(_moved(state, event))}" for event in state.leanings[-_MOST:]]
    return [
        "*How the diagnosis changed*",
        *([f"• {several(len(left_out), 'earlier change')}"] if left_out else []),
        *lines,
    ]


def _moved(state: PhaseState, event: PreliminaryDiagnosisChanged) -> str:
    leaning = event.leaning
    step = state.steps.get(event.step)
    by = prose(name_of(step) if step is not None else event.step, 80)
    sure = likelihood(leaning.confidence)
    what = sentence(prose(leaning.summary, 300))
    match event.move:
        case "first":
            return f"{sure} after {by}: {what}"
        case "strengthened" | "weakened":
            return f"{event.move} by {by}, now {sure}: {what}"
        case "replaced":
            return f"{by} changed the diagnosis, now {sure}: {what}"
        case "gone":
            return f"{by} ruled this out; there is no other suspect so far."
        case _:
            assert_never(event.move)
