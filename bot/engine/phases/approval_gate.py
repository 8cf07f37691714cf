"""The gate in front of a phase or step: ask for an approval, remind, and read the decision."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import timedelta

from bot.domain.errors import IdentityUnknownError
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalWaived,
    ApproversFound,
)
from bot.domain.runs.runbook import ApprovalPolicy
from bot.engine.approvers import find_audience, lapse_reason
from bot.engine.open_plans import displaced_by, lost_ground, may_lose_ground, take_open_plan
from bot.engine.phases import Answer, PhaseEnd, PhaseWait
from bot.engine.seen_state import state_change
from bot.engine.session import RunSession
from bot.templating.templates import truth

log = logging.getLogger(__name__)

LOOK_UP_AGAIN = timedelta(seconds=15)
"""The pause before the people to ask are looked up again, if Slack did not answer."""
GROUND_EVERY = timedelta(seconds=30)
"""How often a plan that waits is checked for whether its ground is still there."""
_ASKED_AGAIN = timedelta(seconds=5)
"""The pause before people are looked up again, if Slack did not answer."""
_LOOK_UP_S = 2.0
"""Seconds within which the people to ask must be known; after that the request is shown without a mention."""


async def pass_gate(
    session: RunSession, phase: str, *, policy: ApprovalPolicy, plan_hash: str, step: str = ""
) -> Answer | None:
    """Request or read an approval; none means that exactly this plan may proceed."""
    approval = session.run.gate(phase, step=step)
    if approval is None and policy.waived_when and truth(policy.waived_when, session.scope()):
        waiver = ApprovalWaived(at=session.now, phase=phase, step=step, plan_hash=plan_hash, why=policy.why)
        if not any((w.phase, w.step, w.plan_hash) == (phase, step, plan_hash) for w in session.run.waived):
            await session.write(waiver)
        return None
    if approval is None:
        return await _request(
            session, new_approval(session, phase, step=step, policy=policy, plan_hash=plan_hash)
        )
    match approval.decision:
        case None:
            return await _undecided(session, approval)
        case "approved" if approval.plan_hash == plan_hash:
            return await _still_approved(session, approval)
        case "approved":
            return PhaseEnd(outcome="failed", why="the plan is not the one that was approved")
        case "rejected":
            return PhaseEnd(outcome="rejected", why=rejection_of(approval))
        case "withdrawn":
            return PhaseEnd(outcome="withdrawn", why=approval.decided_why or "its ground is gone")
        case _:
            return PhaseEnd(outcome="expired", why=f"the approval was {approval.decision}")


async def _request(session: RunSession, approval: Approval) -> Answer:
    """Ask for an approval, unless another plan of the service waits for one already."""
    if not approval.step and (ended := await take_open_plan(session, approval.phase)) is not None:
        return ended
    found = await look_up_approvers(session, approval)
    await session.write(ApprovalRequested(at=session.now, approval=approval), *found)
    if not approval.step and (why := await displaced_by(session, approval.phase)):
        return _withdrawn(session, approval, why)
    return _waiting(session, approval)


def _withdrawn(session: RunSession, approval: Approval, why: str) -> PhaseEnd:
    log.info("plan_withdrawn", extra={"run_id": session.run.id, "why": why})
    session.note(ApprovalEnded(at=session.now, approval_id=approval.id, decision="withdrawn", why=why))
    return PhaseEnd(outcome="withdrawn", why=why)


async def _undecided(session: RunSession, approval: Approval) -> Answer:
    """Wait on, unless the time is over or the ground of the plan is gone."""
    if session.now >= approval.expires_at:
        session.note(ApprovalEnded(at=session.now, approval_id=approval.id, decision="expired"))
        return PhaseEnd(outcome="expired", why="no approver decided in time")
    if approval.audience is None:
        session.note(*await look_up_approvers(session, approval))
    if why := await lost_ground(session, approval):
        return _withdrawn(session, approval, why)
    remind(session, approval)
    return _waiting(session, approval)


def remind(session: RunSession, approval: Approval) -> None:
    """Remind those who may decide, once, when it is time."""
    if approval.reminded_at is None and session.now >= approval.remind_at:
        session.note(ApprovalReminded(at=session.now, approval_id=approval.id))


def rejection_of(approval: Approval) -> str:
    """Return who rejected and why, for the journal."""
    who = approval.decided_by.name or approval.decided_by.id if approval.decided_by else "someone"
    return f"{who} rejected it: {approval.decided_why}" if approval.decided_why else f"{who} rejected it"


def _waiting(session: RunSession, approval: Approval) -> PhaseWait:
    """Wait for a decision; look again soon if the people to ask could not be looked up."""
    approval = session.run.approvals[approval.id]
    until = approval.next_look_at
    if may_lose_ground(session.run, approval):
        until = min(until, session.now + GROUND_EVERY)
    if approval.audience is not None:
        return PhaseWait(until=until)
    return PhaseWait(until=min(until, session.now + LOOK_UP_AGAIN))


async def look_up_approvers(session: RunSession, approval: Approval) -> tuple[ApproversFound, ...]:
    """Look up who is asked for a decision; return nothing if the directory does not answer in time."""
    directly = session.deps.catalogue.asks_directly(session.run.service)
    try:
        async with asyncio.timeout(_LOOK_UP_S):
            audience = await find_audience(
                session.deps.directory, approval, directly=directly, origin=session.run.origin.kind
            )
    except (IdentityUnknownError, TimeoutError):
        log.warning("approvers_unknown", extra={"run_id": session.run.id, "groups": approval.groups})
        return ()
    return (ApproversFound(at=session.now, approval_id=approval.id, audience=audience),)


async def _still_approved(session: RunSession, approval: Approval) -> Answer | None:
    """Check once more, before the first change, what the plan was made from, and who asked and approved."""
    states = session.run.phases[approval.phase].steps
    guarded = [states[approval.step]] if approval.step in states else list(states.values())
    if any(state.outcome is not None or state.intent_key for state in guarded):
        return None  # it was checked before it began
    if changed := await state_change(session.deps, session.run, approval):
        return PhaseEnd(outcome="failed", why=f"{changed}. Nothing was changed; ask again for a new plan")
    try:
        why = await lapse_reason(session.deps.directory, approval, origin=session.run.origin.kind)
    except IdentityUnknownError:
        if session.now >= approval.expires_at:
            return PhaseEnd(outcome="expired", why="the approvers could not be looked up in Slack")
        return PhaseWait(until=session.now + _ASKED_AGAIN)
    if why:
        return PhaseEnd(
            outcome="failed", why=f"{why}, so nothing was changed. Start again for a new approval"
        )
    return None


def new_approval(
    session: RunSession, phase: str, *, step: str, policy: ApprovalPolicy, plan_hash: str
) -> Approval:
    """Return the gate of a phase or step, bound to a plan."""
    service = session.run.service
    groups = policy.groups or (session.deps.catalogue.get(service).approvers if service else ())
    return Approval(
        id=f"{session.run.id}.{secrets.token_urlsafe(12)}",
        phase=phase,
        step=step,
        plan_hash=plan_hash,
        policy=policy,
        groups=groups,
        requested_by=session.run.requested_by,
        requested_at=session.now,
        expires_at=session.now + timedelta(seconds=policy.expires_s),
    )
