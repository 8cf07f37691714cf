"""The modal behind *Details*: everything that a run read, ruled out, planned and did."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Findings
from bot.domain.formatting import duration, listed
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Explore, FanOut
from bot.views import ids
from bot.views.blocks import context, fit, section
from bot.views.limits import bold, code, prose
from bot.views.modals import modal
from bot.views.phrases import utc
from bot.views.thread.evidence import evidence_blocks
from bot.views.thread.remedy import plan_in_full
from bot.views.thread.state import is_check, mark, name_of, note, result_of, title_of
from bot.views.thread.why import reasons_blocks

_MOST_BLOCKS = 95
_MOST_CHARS = 60_000


def details_modal(run: Run) -> JsonObject:
    """Return all that the thread leaves out: sources, expressions, what was ruled out, steps and ids."""
    blocks: list[JsonObject] = []
    if run.diagnosis is not None:
        blocks += reasons_blocks(run, run.diagnosis)
    for phase in run.runbook.phases:
        if isinstance(phase, Explore | FanOut) and run.phases[phase.id].steps:
            blocks += evidence_blocks(run, phase)
    if normal := _normal(run):
        blocks.append(section("*As usual*", *normal))
    for state in run.phases.values():
        if state.plan is not None and state.plan.steps:
            blocks += plan_in_full(state.plan)
    blocks += [section("*Steps*", *_steps(run)), section("*Phases*", *_phases(run))]
    ends = f"took {duration((run.finished_at - run.started_at).total_seconds())}" if run.finished_at else ""
    blocks.append(
        context(f"run {code(run.id, 80)}", f"started {utc(run.started_at, day=run.started_at)}", ends)
    )
    unset = _not_configured(run)
    if unset:
        blocks.append(context(f"Not configured: {unset}"))
    fitted = fit(blocks, chars=_MOST_CHARS, count=_MOST_BLOCKS)
    return modal(ids.REASONS, title="Details", blocks=fitted, close="Close")


def _normal(run: Run) -> list[str]:
    """Return what was checked and is as usual."""
    results = [result_of(step) for state in run.phases.values() for step in state.steps.values()]
    return [f"• {prose(text)}" for found in results if isinstance(found, Findings) for text in found.normal]


def _steps(run: Run) -> list[str]:
    """Return every finished step of a pipeline with its duration."""
    return [
        f"• {prose(name_of(step), 160)}: {prose(step.outcome.replace('_', ' '))}, {duration(step.took_s)}"
        + (" (check)" if is_check(step) else "")
        for phase in run.runbook.phases
        if not isinstance(phase, Explore | FanOut)
        for step in run.phases[phase.id].steps.values()
        if step.outcome is not None
    ] or ["None yet."]


def _phases(run: Run) -> list[str]:
    lines = []
    for phase in run.runbook.phases:
        words = note(run, phase)
        lines.append(f"{mark(run, phase)} {bold(title_of(phase), 80)}" + (f" · {words}" if words else ""))
    return lines


def _not_configured(run: Run) -> str:
    names = [
        prose(name_of(step), 60)
        for state in run.phases.values()
        for step in state.steps.values()
        if step.outcome == "not_configured"
    ]
    return listed(names)
