"""What an emergency bypasses, for those who approve it."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.views.blocks import section
from bot.views.limits import prose
from bot.views.phrases import ALARM
from bot.views.thread.state import result_of


def emergency_lines(run: Run) -> list[str]:
    """Return who declared an emergency and why; empty if there is none."""
    del run
    return []


def waived_gates(run: Run) -> list[JsonObject]:
    """Return the gates that were waived for this run; empty if none was."""
    results = (result_of(step) for state in run.phases.values() for step in state.steps.values())
    waived = [
        prose(found.summary, 500)
        for found in results
        if isinstance(found, Facts)
        and isinstance(gates := found.data.get("gates"), list)
        and any(isinstance(gate, dict) and gate.get("waived_by") for gate in gates)
    ]
    return [section(*(f"{ALARM} {text}" for text in dict.fromkeys(waived)))] if waived else []
