"""PIPELINE: ordered steps behind an approval; the first failure stops it and undoes."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from functools import partial

from bot.domain.errors import BotError
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalWaived,
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
from bot.engine.phases import Answer, PhaseEnd, PhaseWait
from bot.engine.phases.canary_analysis import CanaryAnalysis, judge_step_id
from bot.engine.phases.plan import render_checks, render_steps
from bot.engine.preemption import make_way
from bot.engine.service_lock import take_turn
from bot.engine.session import RunSession
from bot.templating.templates import truth


async def pipeline(hand: RunSession, phase: Pipeline) -> Answer:
    """Do what the plan says, once people have agreed to exactly that plan."""
    try:
        plan = await _plan(hand, phase)
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    if not plan.steps:
        return PhaseEnd(outcome="skipped", why=plan.why_empty)
    if hand.run.phases[phase.id].started_at is None:
        hand.note(PhaseStarted(at=hand.now, phase=phase.id, steps=_refs(hand, plan)))
    if phase.preempts:
        await make_way(hand, phase.id)
    if phase.approval is not None:
        waiting = await _gate(hand, phase.id, policy=phase.approval, plan_hash=plan.digest)
        if waiting is not None:
            return waiting
    if (in_line := await take_turn(hand, phase.id, to="change")) is not None:
        return in_line
    if not phase.lease:
        return await _watched(hand, phase, plan)
    async with hand.deps.stores.leases.hold(hand.run.service):
        return await _watched(hand, phase, plan)


async def _gate(
    hand: RunSession, phase: str, *, policy: ApprovalPolicy, plan_hash: str, step: str = ""
) -> Answer | None:
    """Raise or read an approval; none means that the way is free for exactly this plan."""
    approval = hand.run.gate(phase, step=step)
    if approval is None and policy.waived_when and truth(policy.waived_when, hand.scope()):
        waiver = ApprovalWaived(at=hand.now, phase=phase, step=step, plan_hash=plan_hash, why=policy.why)
        if not any((w.phase, w.step, w.plan_hash) == (phase, step, plan_hash) for w in hand.run.waived):
            await hand.write(waiver)
        return None
    if approval is None:
        approval = _new_approval(hand, phase, step=step, policy=policy, plan_hash=plan_hash)
        hand.note(ApprovalRequested(at=hand.now, approval=approval))
        return PhaseWait(until=approval.next_look_at)
    match approval.decision:
        case None if hand.now >= approval.expires_at:
            hand.note(ApprovalEnded(at=hand.now, approval_id=approval.id, decision="expired"))
            return PhaseEnd(outcome="expired", why="nobody decided in time")
        case None:
            if approval.reminded_at is None and hand.now >= approval.remind_at:
                hand.note(ApprovalReminded(at=hand.now, approval_id=approval.id))
                approval = hand.run.approvals[approval.id]
            return PhaseWait(until=approval.next_look_at)
        case "approved" if approval.plan_hash == plan_hash:
            return None
        case "approved":
            return PhaseEnd(outcome="failed", why="the plan is not the one that was approved")
        case "rejected":
            who = approval.decided_by.name or approval.decided_by.id if approval.decided_by else "somebody"
            return PhaseEnd(outcome="rejected", why=f"{who} rejected it")
        case _:
            return PhaseEnd(outcome="expired", why=f"the approval was {approval.decision}")


def _new_approval(
    hand: RunSession, phase: str, *, step: str, policy: ApprovalPolicy, plan_hash: str
) -> Approval:
    service = hand.run.service
    groups = policy.groups or (hand.deps.catalogue.get(service).approvers if service else ())
    return Approval(
        id=f"{hand.run.id}.{secrets.token_urlsafe(12)}",
        phase=phase,
        step=step,
        plan_hash=plan_hash,
        policy=policy,
        groups=groups,
        requested_by=hand.run.requested_by,
        requested_at=hand.now,
        expires_at=hand.now + timedelta(seconds=policy.expires_s),
    )


async def _plan(hand: RunSession, phase: Pipeline) -> RenderedPlan:
    """Read the plan, or pin it now where the pipeline's own steps are the plan."""
    known = hand.run.plan_for(phase.id)
    if known is not None:
        return known
    if plan_source(hand.run.runbook, phase.id) != phase.id:
        return RenderedPlan(summary="", why_empty="there is no plan")
    steps = render_steps(hand, phase.steps)
    plan = RenderedPlan(
        summary=phase.title or phase.id, steps=steps, verify=render_checks(hand, phase.verify)
    ).pinned()
    hand.note(PlanRendered(at=hand.now, phase=phase.id, plan=plan))
    return plan


def _refs(hand: RunSession, plan: RenderedPlan) -> tuple[StepRef, ...]:
    refs: list[StepRef] = []
    for step in plan.steps:
        specialist = hand.deps.plugins.get(step.plugin).specialist
        refs.append(StepRef(id=step.id, title=step.title, specialist=specialist))
        if step.judge is not None:
            refs.append(
                StepRef(id=judge_step_id(step.id), title="Judge canary and stable", specialist="judge")
            )
        refs.extend(_check_ref(hand, check) for check in step.verify)
    return (*refs, *(_check_ref(hand, check) for check in plan.verify))


def _check_ref(hand: RunSession, check: Check) -> StepRef:
    specialist = hand.deps.plugins.get(check.probe).specialist
    return StepRef(id=check_step_id(check), title=check.title or check.id, specialist=specialist)


async def _watched(hand: RunSession, phase: Pipeline, plan: RenderedPlan) -> Answer:
    """Run the steps, and the watch beside them; a breach stops and undoes."""
    if not phase.watch:
        return await _steps(hand, phase.id, plan)
    if _breached_before(hand, phase.id):
        await _undo(hand, phase.id, plan)
        return PhaseEnd(outcome="breached", why=hand.run.phases[phase.id].samples[-1].text)
    watch = asyncio.create_task(_breach(hand, phase.watch))
    try:
        ended = await _steps(hand, phase.id, plan)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    if not hand.breach:
        return ended
    hand.note(WatchSampled(at=hand.now, phase=phase.id, ok=False, text=hand.breach))
    await _undo(hand, phase.id, plan)
    return PhaseEnd(outcome="breached", why=hand.breach)


def _breached_before(hand: RunSession, phase: str) -> bool:
    """Whether an earlier owner was undoing because of a breach: no result and no vote tells another why."""
    steps = hand.run.phases[phase].steps.values()
    failed = any(step.outcome not in (None, "ok") for step in steps)
    gates = (gate for gate in hand.run.approvals.values() if gate.phase == phase)
    refused = any(gate.decision not in (None, "approved") for gate in gates)
    return any(step.undo_key for step in steps) and not failed and not refused


async def _breach(hand: RunSession, checks: tuple[Check, ...]) -> None:
    """Look until one check fails; the step under way is let finish, so that nothing is left in doubt."""
    while not hand.breach:
        for check in checks:
            seen = await look(hand, check)
            if seen.ok is False:
                hand.breach = seen.text
        await asyncio.sleep(min(check.every_s for check in checks))


async def _steps(hand: RunSession, phase: str, plan: RenderedPlan) -> Answer:
    for step in plan.steps:
        if hand.stopping:
            if any(planned.judge for planned in plan.steps):
                await _undo(hand, phase, plan)
            return PhaseEnd(outcome="failed", why=hand.stopping)
        if step.approval is not None:
            waiting = await _gate(hand, phase, policy=step.approval, plan_hash=plan.digest, step=step.id)
            if isinstance(waiting, PhaseEnd):
                await _undo(hand, phase, plan)
            if waiting is not None:
                return waiting
        finished = await _step(hand, phase, step, plan)
        if finished is not None:
            return await _failed(hand, phase, plan, step=step, finished=finished)
    for check in plan.verify:
        finished = await _verified(hand, phase, check)
        if finished is not None:
            return PhaseEnd(outcome="failed", why=f"{check.title or check.id}: {finished.error}")
    return PhaseEnd(outcome="ok")


async def _step(hand: RunSession, phase: str, step: PlannedStep, plan: RenderedPlan) -> StepFinished | None:
    """Do one step, have it judged and checked; what is returned is what went wrong."""
    if (known := hand.run.phases[phase].steps.get(step.id)) is None or known.outcome is None:
        plugin = hand.deps.plugins.get(step.plugin)
        finished = await run_step(
            hand, plugin, step.arguments, phase=phase, step=step.id, timeout_s=step.timeout_s
        )
        if finished.outcome != "ok":
            return finished
    elif known.outcome != "ok":
        return _as_finished(hand, phase, step.id)
    if step.judge is not None:
        bench = CanaryAnalysis(
            hand, phase, step, step.judge, raise_gate=partial(_gate_of_judge, hand, phase, plan)
        )
        if (stopped := await bench.decided()) is not None:
            return stopped
    for check in step.verify:
        failed = await _verified(hand, phase, check)
        if failed is not None:
            return failed
    return None


def _gate_of_judge(
    hand: RunSession, phase: str, plan: RenderedPlan, step: str, policy: ApprovalPolicy
) -> Approval:
    return _new_approval(hand, phase, step=step, policy=policy, plan_hash=plan.digest)


async def _verified(hand: RunSession, phase: str, check: Check) -> StepFinished | None:
    known = hand.run.phases[phase].steps.get(check_step_id(check))
    if known is None or known.outcome is None:
        finished = await settle_check(hand, check, phase=phase)
    else:
        finished = _as_finished(hand, phase, known.id)
    return None if finished.outcome == "ok" else finished


def _as_finished(hand: RunSession, phase: str, step: str) -> StepFinished:
    known = hand.run.phases[phase].steps[step]
    return StepFinished(
        at=hand.now,
        phase=phase,
        step=step,
        outcome=known.outcome or "in_doubt",
        error=known.error,
        reason=known.reason,
    )


async def _failed(
    hand: RunSession, phase: str, plan: RenderedPlan, *, step: PlannedStep, finished: StepFinished
) -> PhaseEnd:
    if finished.outcome == "in_doubt":
        return PhaseEnd(
            outcome="failed",
            why=f"{step.title}: {finished.error} Nothing more is done before a person has looked.",
        )
    await _undo(hand, phase, plan)
    return PhaseEnd(outcome="failed", why=f"{step.title}: {finished.error}")


async def _undo(hand: RunSession, phase: str, plan: RenderedPlan) -> None:
    """Put back, in reverse, what was done and has an undo."""
    for step in reversed(plan.steps):
        known = hand.run.phases[phase].steps.get(step.id)
        if step.undo is None or known is None or known.outcome != "ok" or known.undone is not None:
            continue
        if known.result is not None and known.result.get("changed") is False:
            continue
        try:
            arguments = hand.render(step.undo.arguments, result=known.result)
        except BotError as error:
            await hand.write(
                StepUndone(at=hand.now, phase=phase, step=step.id, outcome="failed", error=str(error))
            )
            continue
        plugin = hand.deps.plugins.get(step.undo.plugin)
        await put_back(hand, plugin, arguments, phase=phase, step=step.id, timeout_s=step.timeout_s)
