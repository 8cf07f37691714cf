"""The words for a diagnosis whose sources are read a second time."""

from __future__ import annotations

from bot.domain.runs.run_states import PhaseState
from bot.views.limits import prose
from bot.views.phrases import local


def second_look_line(state: PhaseState) -> str:
    """Return when the sources are read again and why, or that they were; empty if neither."""
    because = prose(state.again_because, 300)
    if state.again_at is not None:
        return f"I read the sources again, once, at {local(state.again_at)}, because {because}."
    if state.looks > 1 and state.outcome is None:
        return f"I am reading the sources again, because {because}."
    return f"This is the second look. At the first, {because}." if state.looks > 1 else ""
