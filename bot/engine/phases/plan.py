"""PLAN: renders exactly what will change, as data and as prose; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.diagnoses.diagnosis import Cause
from bot.domain.errors import BotError, RunbookError
from bot.domain.runs.event import PhaseStarted, PlanRendered
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.runbook import Check, Judging, Pipeline, Plan, Remedy, Step
from bot.engine.phases import PhaseEnd
from bot.engine.seen_state import seen_state
from bot.engine.session import RunSession
from bot.templating.templates import evaluate, render, truth

_MOST_ITEMS = 200


async def plan(session: RunSession, phase: Plan) -> PhaseEnd:
    """Choose and render the steps; an empty plan gives its reason."""
    if session.run.phases[phase.id].started_at is None:
        session.note(PhaseStarted(at=session.now, phase=phase.id))
    try:
        rendered = _of_pipeline(session, phase) if phase.of is not None else _of_cause(session, phase)
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    session.note(
        PlanRendered(at=session.now, phase=phase.id, plan=rendered.but(seen=seen_state(session)).pinned())
    )
    return PhaseEnd(outcome="ok", why=rendered.why_empty)


def render_steps(session: RunSession, steps: tuple[Step, ...], **scope: object) -> tuple[PlannedStep, ...]:
    """Render steps completely; only what an undo takes from the result is left open.

    Raises:
        TemplateError: a step refers to something the run does not know.
    """
    return tuple(planned for step in steps for planned in _planned(session, step, **scope))


def _planned(session: RunSession, step: Step, **scope: object) -> Iterator[PlannedStep]:
    """Render one step, or one for each ``item``, numbered from 1."""
    if step.for_each is None:
        yield _planned_step(session, step, step.id, **scope)
        return
    items = evaluate(step.for_each, session.scope(**scope))
    if not isinstance(items, list | tuple) or len(items) > _MOST_ITEMS:
        raise RunbookError(f"`for_each` of {step.id} must yield a list of at most {_MOST_ITEMS} items")
    for number, item in enumerate(items, start=1):
        yield _planned_step(session, step, f"{step.id}-{number}", item=item, **scope)


def _planned_step(session: RunSession, step: Step, name: str, **scope: object) -> PlannedStep:
    return PlannedStep(
        id=name,
        title=_text(session, step.title or step.id, **scope),
        action=step.action,
        probe=step.probe,
        arguments=session.render(step.arguments, **scope),
        timeout_s=step.timeout_s,
        undo=step.undo,
        no_undo=step.no_undo,
        verify=_numbered(render_checks(session, step.verify, **scope), name if step.for_each else ""),
        approval=step.approval,
        judge=None if step.judge is None else _judging(session, step.judge, **scope),
    )


def _numbered(checks: tuple[Check, ...], step: str) -> tuple[Check, ...]:
    """Return the checks with ids that are unique to one item's step."""
    return tuple(check.but(id=f"{step}-{check.id}") for check in checks) if step else checks


def _judging(session: RunSession, judging: Judging, **scope: object) -> Judging:
    metrics = tuple(m.but(arguments=session.render(m.arguments, **scope)) for m in judging.metrics)
    return judging.but(
        metrics=metrics,
        for_s=_seconds(session, judging.for_s, **scope),
        at_least_s=_seconds(session, judging.at_least_s, **scope),
    )


def _seconds(session: RunSession, value: float | str, **scope: object) -> float:
    seconds = evaluate(value, session.scope(**scope)) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise RunbookError(f"`{value}` must be a number of seconds")
    return float(seconds)


def render_checks(session: RunSession, checks: tuple[Check, ...], **scope: object) -> tuple[Check, ...]:
    """Render the arguments and titles of checks; expectations are evaluated after measuring.

    Raises:
        TemplateError: a check refers to something the run does not know.
    """
    return tuple(
        check.model_copy(
            update={
                "arguments": session.render(check.arguments, **scope),
                "title": _text(session, check.title, **scope),
            }
        )
        for check in checks
    )


def _of_pipeline(session: RunSession, phase: Plan) -> RenderedPlan:
    pipeline = session.run.runbook.phase(phase.of or "")
    assert isinstance(pipeline, Pipeline)  # noqa: S101  # the loader has made sure
    return RenderedPlan(
        summary=_text(session, phase.summary or phase.title or pipeline.title or pipeline.id),
        risk=_text(session, phase.risk).strip(),
        steps=render_steps(session, pipeline.steps),
        verify=render_checks(session, (*pipeline.verify, *phase.verify)),
    )


def _of_cause(session: RunSession, phase: Plan) -> RenderedPlan:
    diagnosis = session.run.diagnosis
    cause = diagnosis.top if diagnosis is not None else None
    if diagnosis is None or cause is None:
        why = (
            "no fault was found"
            if diagnosis and diagnosis.verdict == "no_fault_found"
            else "no cause is certain enough"
        )
        return RenderedPlan(summary="Nothing to change", why_empty=why)
    remedy = _remedy_for(session, phase, cause)
    if remedy is None:
        return RenderedPlan(
            summary="No remedy known",
            why_empty=f"no remedy is known for {cause.kind.value.replace('_', ' ')} of {cause.service}",
        )
    return RenderedPlan(
        summary=_text(session, remedy.summary, cause=cause),
        risk=_text(session, remedy.risk, cause=cause),
        steps=render_steps(session, remedy.steps, cause=cause),
        verify=render_checks(session, (*remedy.verify, *phase.verify), cause=cause),
    )


def _remedy_for(session: RunSession, phase: Plan, cause: Cause) -> Remedy | None:
    for remedy in phase.remedies.get(cause.kind.value, ()):
        if remedy.when is None or truth(remedy.when, session.scope(cause=cause)):
            return remedy
    return None


def _text(session: RunSession, text: str, **scope: object) -> str:
    return str(render(text, session.scope(**scope))) if text else ""
