"""Allows one open plan for a service, and withdraws one whose ground is gone."""

from __future__ import annotations

import logging

from bot.domain.deployments.deployment import ROLLBACK, STRATEGY_PREFIX
from bot.domain.errors import BotError, NotFoundError
from bot.domain.monitoring.incident import belongs, is_triage
from bot.domain.runs.approval import Approval
from bot.domain.runs.effect import Effect
from bot.domain.runs.event import ApprovalEnded
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Check, Plan
from bot.engine.checks import look
from bot.engine.deps import Deps
from bot.engine.interjection import BusyRunError, Interjection, interject
from bot.engine.phases import PhaseEnd
from bot.engine.seen_state import has_acted, state_change
from bot.engine.session import RunSession

log = logging.getLogger(__name__)

_TRIES = 10
_MOST_ALERTS = 200
_LOOK_S = 10.0
"""Seconds in which the look of one action must answer."""


async def take_open_plan(session: RunSession, phase: str) -> PhaseEnd | None:
    """Make this run's plan the one open plan of its service; none means it is.

    A plan to restore a service takes the place of a deployment's plan, which is withdrawn.  Otherwise the
    first plan stays, and this one ends, pointing to it.  A run that has changed something already asks to
    go on with that: its gates do not count.
    """
    service = planned_service(session.run, phase)
    if not service or has_acted(session.run):
        return None
    mine, ended = _token(session.run.id, phase), ""
    displaced: Run | None = None
    for _ in range(_TRIES):
        claim = await session.deps.stores.claims.claim(_name(service), holder=mine, instead_of=ended)
        if claim.holder == mine:
            if displaced is not None:  # only now: until the claim is taken, it may still be asking
                why = f"{_shown(session.run)} of `{service}` was proposed"
                await _withdraw(session.deps, displaced, why=why)
            return None
        other = await _open_run(session.deps, claim.holder)
        if other is not None and not takes_precedence(session.run, other):
            why = await another_waits(session.deps, other, service=service)
            return PhaseEnd(outcome="withdrawn", why=why)
        displaced, ended = other, claim.holder
    return None  # others begin and end all the time: none of them is open for long


async def displaced_by(session: RunSession, phase: str) -> str:
    """Return why a plan is no longer the open one of its service, in words; empty if it is.

    To be asked after the request is written: whoever took its place before that could not withdraw it.
    """
    service = planned_service(session.run, phase)
    if not service or has_acted(session.run):
        return ""
    holder = await session.deps.stores.claims.holder(_name(service))
    if holder in ("", _token(session.run.id, phase)):
        return ""
    other = await _open_run(session.deps, holder)
    return "" if other is None else f"{_shown(other)} of `{service}` was proposed"


async def open_plan(deps: Deps, service: str) -> Run | None:
    """Return the run whose plan for a service waits for approval; none if there is none."""
    holder = await deps.stores.claims.holder(_name(service))
    return await _open_run(deps, holder) if holder else None


async def another_waits(deps: Deps, other: Run, *, service: str) -> str:
    """Return that another plan waits for approval, whose it is and where, as a clause."""
    link = await deps.links.thread_of(other.id) if deps.links is not None else ""
    by = other.requested_by.name or other.requested_by.id
    gate = other.waiting_for
    plan = other.plan_for(gate.phase) if gate is not None else None
    what = f" (“{plan.summary}”)" if plan is not None and plan.summary else ""
    return f"a plan for `{service}` by {by} already waits for approval{what}{f': {link}' if link else ''}"


def takes_precedence(run: Run, other: Run) -> bool:
    """Return whether a plan restores a service, while the other one deploys to it; pure."""
    return restores(run) and other.runbook.name.startswith(STRATEGY_PREFIX)


def restores(run: Run) -> bool:
    """Return whether a run restores a service: a rollback, or the fix of a triage; pure."""
    return run.runbook.name == ROLLBACK or is_triage(run)


def planned_service(run: Run, phase: str) -> str:
    """Return the service that a plan changes; it may be another one than a triage was asked about; pure."""
    plan = run.plan_for(phase)
    named = [step.arguments.get("service") for step in plan.steps if step.action] if plan is not None else []
    return next((name for name in named if isinstance(name, str) and name), run.service)


def may_lose_ground(run: Run, approval: Approval) -> bool:
    """Return whether there is something to check while a plan waits for approval; pure."""
    plan = run.plan_for(approval.phase)
    if plan is None or approval.step or has_acted(run):
        return False
    return plan.seen is not None or is_triage(run)


async def lost_ground(session: RunSession, approval: Approval) -> str:
    """Return why a plan that waits for approval no longer has a ground, in words; empty if it has.

    It has none once something else serves than it was made from, once what it would do has been done, or once
    the alerts of its triage are over and the service is healthy.  What cannot be read proves nothing.
    """
    run = session.run
    plan = run.plan_for(approval.phase)
    if plan is None or not may_lose_ground(run, approval):
        return ""
    if changed := await state_change(session.deps, run, approval, only_if_known=True):
        return changed
    if not is_triage(run):
        return ""
    if await _is_done(session, plan):
        return "what it would do has been done already"
    return await _recovery(session, plan)


async def _is_done(session: RunSession, plan: RenderedPlan) -> bool:
    """Return whether every action of a plan finds its effect in place."""
    actions = [step for step in plan.steps if step.action]
    for step in actions:
        plugin = session.deps.plugins.get(step.action)
        if plugin.look is None:
            return False
        effect = Effect(key=f"{session.run.id}:ground:{step.id}", epoch=session.epoch)
        ctx = session.context(f"ground:{step.id}", timeout_s=_LOOK_S, effect=effect)
        try:
            if await plugin.look_at(ctx, step.arguments) is None:
                return False
        except BotError:
            return False
    return bool(actions)


async def _recovery(session: RunSession, plan: RenderedPlan) -> str:
    """Return that the service has recovered: its alerts are over, and the checks of a fix hold."""
    run = session.run
    alerts = session.deps.stores.alerts
    known = [a for a in await alerts.fired(since=run.started_at, limit=_MOST_ALERTS) if belongs(a, run)]
    mine = [a for a in known if a.id == run.origin.alert or a.service == run.service]
    if run.origin.alert and not any(a.id == run.origin.alert for a in mine):
        try:
            mine.append(await alerts.get(run.origin.alert))
        except NotFoundError:
            return ""
    if not mine or any(a.status == "firing" for a in mine):
        return ""
    seen = [await look(session, check) for check in _of_recovery(run, plan)]
    if not seen or not all(one.ok for one in seen):
        return ""
    return f"{run.service} has recovered: {mine[0].name} is over, {'; '.join(one.text for one in seen)}"


def _of_recovery(run: Run, plan: RenderedPlan) -> list[Check]:
    """List the checks that show that a service is well, whatever the fix was."""
    names = {c.id for phase in run.runbook.phases if isinstance(phase, Plan) for c in phase.verify}
    return [check for check in plan.verify if check.id in names]


async def _open_run(deps: Deps, holder: str) -> Run | None:
    """Return the run of a claim if its plan waits for approval, or is about to; else none."""
    run_id, _, phase = holder.partition(":")
    try:
        run = fold(run_id, await deps.stores.journal.load(run_id))
    except NotFoundError:
        return None
    gate = run.gate(phase, step="") if phase in run.phases else None
    is_open = run.outcome is None and run.cancelled_by is None and (gate is None or gate.decision is None)
    return run if is_open else None


async def _withdraw(deps: Deps, other: Run, *, why: str) -> None:
    """Withdraw the open plan of another run, and have its thread say why."""

    async def decided(run: Run) -> Interjection | None:
        gate = run.waiting_for
        if gate is None or gate.step:
            return None
        ended = ApprovalEnded(at=deps.clock.now(), approval_id=gate.id, decision="withdrawn", why=why)
        return Interjection(event=ended, wake=True)

    try:
        if await interject(deps.stores.journal, other.id, decided) is not None:
            log.info("plan_withdrawn", extra={"run_id": other.id, "why": why})
    except BusyRunError:
        log.warning("plan_not_withdrawn", extra={"run_id": other.id})


def _shown(run: Run) -> str:
    if run.runbook.name == ROLLBACK:
        return "a rollback"
    return "a fix" if is_triage(run) else "another plan"


def _name(service: str) -> str:
    return f"plan:{service}"


def _token(run_id: str, phase: str) -> str:
    return f"{run_id}:{phase}"
