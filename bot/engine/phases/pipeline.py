"""PIPELINE: runs ordered steps behind an approval; the first failure stops and undoes them."""

from __future__ import annotations

import asyncio
from functools import partial

from bot.domain.errors import BotError
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    PhaseStarted,
    PlanRendered,
    StepFinished,
    StepRef,
    StepUndone,
    WatchSampled,
)
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.runbook import ApprovalPolicy, Check, Pipeline, plan_source
from bot.engine.checks import check_step_id, look, settle_check
from bot.engine.effects import put_back, run_step
from bot.engine.phases import Answer, PhaseEnd
from bot.engine.phases.approval_gate import new_approval, pass_gate
from bot.engine.phases.canary_analysis import CanaryAnalysis, judge_step_id
from bot.engine.phases.plan import render_checks, render_steps
from bot.engine.preemption import make_way
from bot.engine.service_lock import acquire
from bot.engine.session import RunSession


async def pipeline(session: RunSession, phase: Pipeline) -> Answer:
    """Carry out the plan, once people have approved exactly that plan."""
    try:
        plan = await _plan(session, phase)
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    if not plan.steps:
        return PhaseEnd(outcome="skipped", why=plan.why_empty)
    if session.run.phases[phase.id].started_at is None:
        session.note(PhaseStarted(at=session.now, phase=phase.id, steps=_refs(session, plan)))
    if phase.preempts:
        await make_way(session, phase.id)
    if phase.approval is not None:
        waiting = await pass_gate(session, phase.id, policy=phase.approval, plan_hash=plan.digest)
        if waiting is not None:
            return waiting
    if (in_line := await acquire(session, phase.id, to="change")) is not None:
        return in_line
    if not phase.lease:
        return await _watched(session, phase, plan)
    async with session.deps.stores.leases.hold(session.run.service):
        return await _watched(session, phase, plan)


async def _plan(session: RunSession, phase: Pipeline) -> RenderedPlan:
    """Return the plan; where the pipeline's own steps are the plan, pin it now."""
    known = session.run.plan_for(phase.id)
    if known is not None:
        return known
    if plan_source(session.run.runbook, phase.id) != phase.id:
        return RenderedPlan(summary="", why_empty="the run has no plan")
    steps = render_steps(session, phase.steps)
    plan = RenderedPlan(
        summary=phase.title or phase.id, steps=steps, verify=render_checks(session, phase.verify)
    ).pinned()
    session.note(PlanRendered(at=session.now, phase=phase.id, plan=plan))
    return plan


def _refs(session: RunSession, plan: RenderedPlan) -> tuple[StepRef, ...]:
    refs: list[StepRef] = []
    for step in plan.steps:
        specialist = session.deps.plugins.get(step.plugin).specialist
        refs.append(StepRef(id=step.id, title=step.title, specialist=specialist))
        if step.judge is not None:
            refs.append(
                StepRef(id=judge_step_id(step.id), title="Judge canary and stable", specialist="judge")
            )
        refs.extend(_check_ref(session, check) for check in step.verify)
    return (*refs, *(_check_ref(session, check) for check in plan.verify))


def _check_ref(session: RunSession, check: Check) -> StepRef:
    specialist = session.deps.plugins.get(check.probe).specialist
    return StepRef(id=check_step_id(check), title=check.title or check.id, specialist=specialist)


async def _watched(session: RunSession, phase: Pipeline, plan: RenderedPlan) -> Answer:
    """Run the steps and the watch at once; a breach stops and undoes the steps."""
    if not phase.watch:
        return await _steps(session, phase.id, plan)
    if _breached_before(session, phase.id):
        await _undo(session, phase.id, plan)
        return PhaseEnd(outcome="breached", why=session.run.phases[phase.id].samples[-1].text)
    watch = asyncio.create_task(_breach(session, phase.watch))
    try:
        ended = await _steps(session, phase.id, plan)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    if not session.breach:
        return ended
    session.note(WatchSampled(at=session.now, phase=phase.id, ok=False, text=session.breach))
    await _undo(session, phase.id, plan)
    return PhaseEnd(outcome="breached", why=session.breach)


def _breached_before(session: RunSession, phase: str) -> bool:
    """Return whether an earlier owner was undoing because of a breach: no failure or vote explains it."""
    steps = session.run.phases[phase].steps.values()
    failed = any(step.outcome not in (None, "ok") for step in steps)
    gates = (gate for gate in session.run.approvals.values() if gate.phase == phase)
    refused = any(gate.decision not in (None, "approved") for gate in gates)
    return any(step.undo_key for step in steps) and not failed and not refused


async def _breach(session: RunSession, checks: tuple[Check, ...]) -> None:
    """Check until one check fails; the running step may finish, so that nothing is left in doubt."""
    while not session.breach:
        for check in checks:
            seen = await look(session, check)
            if seen.ok is False:
                session.breach = seen.text
        await asyncio.sleep(min(check.every_s for check in checks))


async def _steps(session: RunSession, phase: str, plan: RenderedPlan) -> Answer:
    for step in plan.steps:
        if session.stopping:
            if any(planned.judge for planned in plan.steps):
                await _undo(session, phase, plan)
            return PhaseEnd(outcome="failed", why=session.stopping)
        if step.approval is not None:
            waiting = await pass_gate(
                session, phase, policy=step.approval, plan_hash=plan.digest, step=step.id
            )
            if isinstance(waiting, PhaseEnd):
                await _undo(session, phase, plan)
            if waiting is not None:
                return waiting
        finished = await _step(session, phase, step, plan)
        if finished is not None:
            return await _failed(session, phase, plan, step=step, finished=finished)
    for check in plan.verify:
        finished = await _verified(session, phase, check)
        if finished is not None:
            return PhaseEnd(outcome="failed", why=f"{check.title or check.id}: {finished.error}")
    return PhaseEnd(outcome="ok")


async def _step(
    session: RunSession, phase: str, step: PlannedStep, plan: RenderedPlan
) -> StepFinished | None:
    """Run one step, have it judged and checked; return the failure, or none."""
    if (known := session.run.phases[phase].steps.get(step.id)) is None or known.outcome is None:
        plugin = session.deps.plugins.get(step.plugin)
        finished = await run_step(
            session, plugin, step.arguments, phase=phase, step=step.id, timeout_s=step.timeout_s
        )
        if finished.outcome != "ok":
            return finished
    elif known.outcome != "ok":
        return _as_finished(session, phase, step.id)
    if step.judge is not None:
        bench = CanaryAnalysis(
            session, phase, step, step.judge, raise_gate=partial(_gate_of_judge, session, phase, plan)
        )
        if (stopped := await bench.decided()) is not None:
            return stopped
    for check in step.verify:
        failed = await _verified(session, phase, check)
        if failed is not None:
            return failed
    return None


def _gate_of_judge(
    session: RunSession, phase: str, plan: RenderedPlan, step: str, policy: ApprovalPolicy
) -> Approval:
    return new_approval(session, phase, step=step, policy=policy, plan_hash=plan.digest)


async def _verified(session: RunSession, phase: str, check: Check) -> StepFinished | None:
    known = session.run.phases[phase].steps.get(check_step_id(check))
    if known is None or known.outcome is None:
        finished = await settle_check(session, check, phase=phase)
    else:
        finished = _as_finished(session, phase, known.id)
    return None if finished.outcome == "ok" else finished


def _as_finished(session: RunSession, phase: str, step: str) -> StepFinished:
    known = session.run.phases[phase].steps[step]
    return StepFinished(
        at=session.now,
        phase=phase,
        step=step,
        outcome=known.outcome or "in_doubt",
        error=known.error,
        reason=known.reason,
    )


async def _failed(
    session: RunSession, phase: str, plan: RenderedPlan, *, step: PlannedStep, finished: StepFinished
) -> PhaseEnd:
    if finished.outcome == "in_doubt":
        return PhaseEnd(
            outcome="failed",
            why=f"{step.title}: {finished.error} Nothing more will be done until a person has checked.",
        )
    await _undo(session, phase, plan)
    return PhaseEnd(outcome="failed", why=f"{step.title}: {finished.error}")


async def _undo(session: RunSession, phase: str, plan: RenderedPlan) -> None:
    """Undo, in reverse order, each completed step that has an undo."""
    for step in reversed(plan.steps):
        known = session.run.phases[phase].steps.get(step.id)
        if step.undo is None or known is None or known.outcome != "ok" or known.undone is not None:
            continue
        if known.result is not None and known.result.get("changed") is False:
            continue
        try:
            arguments = session.render(step.undo.arguments, result=known.result)
        except BotError as error:
            await session.write(
                StepUndone(at=session.now, phase=phase, step=step.id, outcome="failed", error=str(error))
            )
            continue
        plugin = session.deps.plugins.get(step.undo.plugin)
        await put_back(session, plugin, arguments, phase=phase, step=step.id, timeout_s=step.timeout_s)
