"""The Home tab: what waits for me, what runs, what was, and how to begin."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.model import JsonObject
from bot.domain.run import Run
from bot.views.blocks import context, fit, header, section
from bot.views.limits import HOME_BLOCKS, MESSAGE_CHARS, bold, prose
from bot.views.state import headline
from bot.views.words import channel, human, local, local_day, several, who

_MOST = 10


def home_view(*, runs: Sequence[Run], waiting: Sequence[Run], services: Sequence[str]) -> JsonObject:
    """Render one person's Home tab; ``waiting`` are the runs that this person may decide."""
    shown = {run.id for run in waiting}
    running = [run for run in runs if run.outcome is None and run.id not in shown]
    recent = [run for run in runs if run.outcome is not None]
    blocks: list[JsonObject] = []
    if waiting:
        blocks += [header("Waiting for you"), *_list(waiting)]
    if running:
        blocks += [header("Running"), *_list(running)]
    if not waiting and not running:
        blocks.append(section("🟢 *All quiet.* Nothing is running and nothing waits for you."))
    if recent:
        blocks += [header("Recent"), *_list(recent)]
    blocks += [{"type": "divider"}, *_how_to(services)]
    return {"type": "home", "blocks": list(fit(blocks, chars=MESSAGE_CHARS, count=HOME_BLOCKS))}


def _list(runs: Sequence[Run]) -> list[JsonObject]:
    blocks = [section(_line(run), _asks(run)) for run in runs[:_MOST]]
    if len(runs) > _MOST:
        blocks.append(context(f"and {several(len(runs) - _MOST, 'more run')}"))
    return blocks


def _line(run: Run) -> str:
    colour, words = headline(run)
    about = bold(f"{human(run.runbook.name)} {run.service}".strip(), 120)
    parts = [f"{colour} {about}: {words}", channel(run.origin.channel), local_day(run.started_at)]
    return " · ".join(part for part in (*parts, f"by {who(run.requested_by)}") if part)


def _asks(run: Run) -> str:
    gate = run.waiting_for
    if gate is None:
        return ""
    plan = run.plan_for(gate.phase)
    summary = plan.summary if plan is not None else "a decision"
    return f"Decide in its thread until {local(gate.expires_at)}: {prose(summary)}"


def _how_to(services: Sequence[str]) -> list[JsonObject]:
    example = services[0] if services else "checkout"
    known = (
        ", ".join(f"`{prose(name, 63)}`" for name in services[:40]) or "none yet: add some to the catalogue"
    )
    return [
        section(
            "*How to begin*",
            f"• `/triage {prose(example, 63)}` in any channel: I read logs, metrics, changes, dependencies"
            " and the database, name the likely cause and propose a remedy. Nothing changes before somebody"
            " approves.",
            "• In a thread, mention me: `@pilothouse triage …`. On any message: ⋮ → *Triage this*.",
            "• An alert comes with a *Triage* button.",
        ),
        context(f"I know these services: {known}"),
    ]
