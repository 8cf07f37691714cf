"""What an emergency and waivers bypass, for those who approve it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.views.blocks import section
from bot.views.limits import prose
from bot.views.phrases import ALARM, BAD, human, in_readers_zone, sentence, who
from bot.views.thread.state import result_of

_EMERGENCY = "emergency:"
"""How the waivers begin that an emergency gives."""


def emergency_of(run: Run) -> str:
    """Return the reason of the emergency that was declared for a run; empty if there is none."""
    stated = run.params.get("emergency")
    return stated.strip() if isinstance(stated, str) else ""


def emergency_lines(run: Run) -> list[str]:
    """Return who declared an emergency, why, and what it bypasses; empty if there is none."""
    reason = emergency_of(run)
    if not reason:
        return []
    first = f"{BAD} *EMERGENCY*, declared by {who(run.requested_by)}: “{prose(reason)}”"
    broken = [
        f"*Bypasses the {human(str(gate.get('gate'))).lower()} gate:* {sentence(_why(run, gate))}"
        for gate in _waived(run)
        if str(gate["waived_by"]).startswith(_EMERGENCY)
    ]
    return [first, *broken]


def waived_gates(run: Run) -> list[JsonObject]:
    """Return the gates that people waived for this run, not an emergency; empty if none was."""
    lines = [
        f"{ALARM} WAIVED ({prose(str(gate['waived_by']))}): {sentence(_why(run, gate))}"
        for gate in _waived(run)
        if not str(gate["waived_by"]).startswith(_EMERGENCY)
    ]
    return [section(*lines)] if lines else []


def _why(run: Run, gate: JsonObject) -> str:
    return in_readers_zone(prose(str(gate.get("why") or "it is closed"), 400), near=run.started_at)


def _waived(run: Run) -> list[JsonObject]:
    """Return the gates that are open only because they were waived, each as it was last read."""
    return [gate for gate in dict(_gates(run)).values() if gate.get("waived_by")]


def _gates(run: Run) -> Iterator[tuple[str, JsonObject]]:
    for state in run.phases.values():
        for step in state.steps.values():
            found = result_of(step)
            gates = found.data.get("gates") if isinstance(found, Facts) else None
            for gate in gates if isinstance(gates, list) else ():
                if isinstance(gate, dict):
                    yield str(gate.get("gate")), gate
