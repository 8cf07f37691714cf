"""What an emergency and waivers bypass, for those who approve it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.views import ids
from bot.views.blocks import actions, button, message, section
from bot.views.limits import bold, prose
from bot.views.phrases import ALARM, BAD, human, in_readers_zone, names_in, sentence, who
from bot.views.thread.state import headline, result_of, subject_of

_EMERGENCY = "emergency:"
"""How the waivers begin that an emergency gives."""


def emergency_lines(run: Run) -> list[str]:
    """Return who declared an emergency, why, and what it bypasses; empty if there is none."""
    if not run.emergency:
        return []
    first = f"{BAD} *EMERGENCY*, declared by {who(run.requested_by)}: “{prose(run.emergency)}”"
    broken = [
        f"*Bypasses the {human(str(gate.get('gate'))).lower()} gate:* {sentence(_why(run, gate))}"
        for gate in _waived(run)
        if str(gate["waived_by"]).startswith(_EMERGENCY)
    ]
    return [first, *broken]


def emergency_message(run: Run, *, link: str) -> DesiredMessage:
    """Return an emergency's notice for its service's channel: who, why, what it bypasses, how it goes."""
    colour, words = headline(run)
    about = f"{colour} {bold(f'{subject_of(run)}: {words}')}"
    opens = (
        [actions(button("Open thread", action_id=ids.OPEN_THREAD, value=run.id, url=link))] if link else []
    )
    blocks = [section(*emergency_lines(run), about), *opens]
    return message("emergency", blocks, names=names_in(run), urgent=True)


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
