"""PLAN: render exactly what will change, as data and as prose; nothing happens here."""

from __future__ import annotations

from bot.domain.diagnosis import Cause
from bot.domain.errors import BotError
from bot.domain.event import PhaseStarted, PlanRendered
from bot.domain.plan import PlannedStep, RenderedPlan
from bot.domain.runbook import Check, Pipeline, Plan, Remedy, Step
from bot.engine.hand import Hand
from bot.engine.phases import Ended
from bot.engine.templates import render, truth


async def plan(hand: Hand, phase: Plan) -> Ended:
    """Choose and render the steps; a plan may be empty, and then says why."""
    if hand.run.phases[phase.id].started_at is None:
        hand.note(PhaseStarted(at=hand.now, phase=phase.id))
    try:
        rendered = _of_pipeline(hand, phase) if phase.of is not None else _of_cause(hand, phase)
    except BotError as error:
        return Ended(outcome="failed", why=str(error))
    hand.note(PlanRendered(at=hand.now, phase=phase.id, plan=rendered.pinned()))
    return Ended(outcome="ok", why=rendered.why_empty)


def render_steps(hand: Hand, steps: tuple[Step, ...], **scope: object) -> tuple[PlannedStep, ...]:
    """Render steps so that nothing is left to be decided, but what an undo learns from the result.

    Raises:
        TemplateError: a step refers to something the run does not know.
    """
    return tuple(
        PlannedStep(
            id=step.id,
            title=_text(hand, step.title or step.id, **scope),
            action=step.action,
            probe=step.probe,
            arguments=hand.render(step.arguments, **scope),
            timeout_s=step.timeout_s,
            undo=step.undo,
            no_undo=step.no_undo,
            verify=render_checks(hand, step.verify, **scope),
            approval=step.approval,
        )
        for step in steps
    )


def render_checks(hand: Hand, checks: tuple[Check, ...], **scope: object) -> tuple[Check, ...]:
    """Render the arguments and titles of checks; what they expect is read when they have measured.

    Raises:
        TemplateError: a check refers to something the run does not know.
    """
    return tuple(
        check.model_copy(
            update={
                "arguments": hand.render(check.arguments, **scope),
                "title": _text(hand, check.title, **scope),
            }
        )
        for check in checks
    )


def _of_pipeline(hand: Hand, phase: Plan) -> RenderedPlan:
    pipeline = hand.run.runbook.phase(phase.of or "")
    assert isinstance(pipeline, Pipeline)  # noqa: S101  # the loader has made sure
    return RenderedPlan(
        summary=_text(hand, phase.title or pipeline.title or pipeline.id),
        steps=render_steps(hand, pipeline.steps),
        verify=render_checks(hand, (*pipeline.verify, *phase.verify)),
    )


def _of_cause(hand: Hand, phase: Plan) -> RenderedPlan:
    diagnosis = hand.run.diagnosis
    cause = diagnosis.top if diagnosis is not None else None
    if diagnosis is None or cause is None:
        why = (
            "no fault was found"
            if diagnosis and diagnosis.verdict == "no_fault_found"
            else "no cause is certain enough"
        )
        return RenderedPlan(summary="Nothing to change", why_empty=why)
    remedy = _remedy_for(hand, phase, cause)
    if remedy is None:
        return RenderedPlan(
            summary="No remedy known",
            why_empty=f"no remedy is known for {cause.kind.value.replace('_', ' ')} of {cause.service}",
        )
    return RenderedPlan(
        summary=_text(hand, remedy.summary, cause=cause),
        risk=_text(hand, remedy.risk, cause=cause),
        steps=render_steps(hand, remedy.steps, cause=cause),
        verify=render_checks(hand, (*remedy.verify, *phase.verify), cause=cause),
    )


def _remedy_for(hand: Hand, phase: Plan, cause: Cause) -> Remedy | None:
    for remedy in phase.remedies.get(cause.kind.value, ()):
        if remedy.when is None or truth(remedy.when, hand.scope(cause=cause)):
            return remedy
    return None


def _text(hand: Hand, text: str, **scope: object) -> str:
    return str(render(text, hand.scope(**scope))) if text else ""
