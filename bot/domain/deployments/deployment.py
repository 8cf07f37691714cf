"""Deployments: what was put where, by whom, with whose consent, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Literal, assert_never

from bot.domain.model import Instant, JsonObject, Model
from bot.domain.people import Person
from bot.domain.rollouts.canary import Steered
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Background, Pipeline

DeploymentOutcome = Literal[
    "running", "succeeded", "rolled_back", "failed", "rejected", "expired", "withdrawn", "cancelled"
]

ROLLBACK = "rollback"
STRATEGY_PREFIX = "deploy-"
"""How the name of a runbook begins that deploys; the rest is the strategy as people type it."""
_ROLLBACKS = frozenset({"deploy.rollback", "haproxy.rollback"})
"""Actions that take a version back; the second is what older plans call the first."""


class Deployment(Model):
    """The record of one deployment or rollback; it outlives its run.

    Kept for a year or more and read by other versions of the bot: a new field has a default that means what
    was true before.
    """

    id: str
    """The run's."""
    service: str
    """The service's address."""
    environment: str = ""
    """Empty: the service's own."""
    strategy: str
    """``canary``, ``blue-green`` …, or ``rollback``."""
    version: str
    """What it put there; for a rollback, what it went back to, as far as that is known."""
    previous_version: str = ""
    """What was there before; empty if that is not known."""
    requested_by: Person
    approved_by: tuple[Person, ...] = ()
    requested_at: Instant
    started_at: Instant
    """When it was free to change something: after the approval."""
    finished_at: Instant | None = None
    """When nothing more was to be changed; a watch may go on after that, and still call it a failure."""
    waited_s: float = 0
    """The seconds between these two for which it waited for people to approve more, such as a contract."""
    outcome: DeploymentOutcome
    changed: bool = False
    """Whether anything was changed at all, and be it put back later.

    A change that the target refused is none; what is in doubt counts as changed.
    """
    emergency: str = ""
    """The reason why gates were passed over; empty for an ordinary one."""
    why: str = ""
    """What it was for."""
    rollback_of: str = ""
    """The id of the deployment that this one took back."""
    verdict: str = ""
    """The judge's last verdict: ``proceed``, ``stop`` or ``ask``."""
    decided_by: Person | None = None
    """Who made the last decision about it."""
    steered: tuple[Steered, ...] = ()
    """Who paused, resumed, promoted or aborted it, in order; empty in records of versions up to 0.4."""
    summary: str = ""
    """How it ended, in a sentence."""

    @property
    def is_rollback(self) -> bool:
        """Whether it is there to take another one back."""
        return self.strategy == ROLLBACK

    @property
    def duration_s(self) -> float | None:
        """How many seconds the change took, without the waiting for approvals; none until its end."""
        if self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds() - self.waited_s)


class _Subject(Model):
    """What a run deploys or takes back."""

    service: str
    strategy: str
    version: str
    previous_version: str
    why: str


def deployment_of(run: Run) -> Deployment | None:
    """Return the deployment or rollback that a run carries out; none if it has none.  Pure.

    A run of ``/deploy`` or ``/rollback`` is one from its request on.  Any other run, such as a triage, is one
    from the moment at which it intends to take a version back.
    """
    name = run.runbook.name
    is_asked_for = name == ROLLBACK or name.startswith(STRATEGY_PREFIX)
    subject = _asked_for(run) if is_asked_for else _taken_back_by(run)
    if subject is None or run.params.get("dry_run") is True:
        return None
    steps = _steps(run)
    verdicts = [step.verdict.decision for step in steps if step.verdict is not None]
    return Deployment(
        id=run.id,
        service=subject.service,
        environment=subject.service.partition("@")[2] or _word(run.params, "environment"),
        strategy=subject.strategy,
        version=subject.version or _first(_version_after(step.result) for step in steps),
        previous_version=subject.previous_version or _first(_version_before(step.result) for step in steps),
        requested_by=run.requested_by,
        approved_by=_approvers(run),
        requested_at=run.started_at,
        started_at=_started_at(run),
        finished_at=_finished_at(run),
        waited_s=_waited_s(run),
        outcome=_outcome(run, steps),
        changed=any(_has_changed(step) for step in steps),
        emergency=_word(run.params, "emergency"),
        why=subject.why,
        rollback_of=_word(run.params, "rollback_of"),
        verdict=verdicts[-1] if verdicts else "",
        decided_by=_decider(run),
        steered=run.steering.said,
        summary=run.summary,
    )


def _asked_for(run: Run) -> _Subject:
    return _Subject(
        service=run.service,
        strategy=run.runbook.name.removeprefix(STRATEGY_PREFIX),
        version=_word(run.params, "version") or _word(run.params, "to"),
        previous_version="",
        why=_word(run.params, "why"),
    )


def _taken_back_by(run: Run) -> _Subject | None:
    """Return what a run takes back as one of its steps; none until that step's effect is intended."""
    for phase in run.runbook.phases:
        plan = run.plan_for(phase.id) if isinstance(phase, Pipeline) else None
        for step in plan.steps if plan is not None else ():
            state = run.phases[phase.id].steps.get(step.id)
            if step.action in _ROLLBACKS and state is not None and state.intent_key:
                cause = run.diagnosis.top if run.diagnosis is not None else None
                return _Subject(
                    service=_word(step.arguments, "service") or run.service,
                    strategy=ROLLBACK,
                    version=_word(step.arguments, "to_version") or _word(step.arguments, "previous_version"),
                    previous_version=_word(step.arguments, "version"),
                    why=cause.summary if cause is not None else "",
                )
    return None


def _outcome(run: Run, steps: Iterable[StepState]) -> DeploymentOutcome:
    undone = [step.undone for step in steps if step.undone is not None]
    if run.outcome is not None and undone and all(outcome == "ok" for outcome in undone):
        return "rolled_back"
    match run.outcome:
        case None | "cancelled" if _is_through(run):
            return "succeeded"  # a watch goes on, or went on until a person ended it
        case None:
            return "running"
        case "rejected" | "expired" | "withdrawn" | "cancelled":
            return run.outcome
        case "done" | "recovered":
            return "succeeded"
        case "failed" | "not_recovered" | "breached" | "no_fault_found" | "unclear" | "no_remedy":
            return "failed"
        case _:
            assert_never(run.outcome)


def _started_at(run: Run) -> datetime:
    """Return when the first phase that acted was free to act."""
    return next((free for state in _acted(run) if (free := _free_at(run, state))), run.started_at)


def _free_at(run: Run, state: PhaseState) -> datetime | None:
    """Return when a phase was free to act: begun, and approved where approval was asked for."""
    gate = run.gate(state.id, step="")
    moments = (state.started_at, gate.decided_at if gate is not None else None)
    return max((moment for moment in moments if moment is not None), default=None)


def _finished_at(run: Run) -> datetime | None:
    """Return when nothing more was to be changed; none while something is."""
    if run.outcome is None and not _is_through(run):
        return None
    ends = [state.finished_at for state in _acted(run) if state.finished_at is not None]
    return max(ends, default=run.finished_at)


def _waited_s(run: Run) -> float:
    """Sum up the seconds in which one phase that acted was over, and the next not free to act."""
    gaps = (
        (free - before.finished_at).total_seconds()
        for before, after in pairwise(_acted(run))
        if before.finished_at is not None and (free := _free_at(run, after)) is not None
    )
    return sum(max(0.0, gap) for gap in gaps)


def _is_through(run: Run) -> bool:
    """Return whether it did all it had to do, except for watching and for what has not been approved yet."""
    acted = _acted(run)
    if not acted or not all(state.worked for state in acted):
        return False
    rest = [p for p in run.runbook.phases if run.phases[p.id].outcome is None]
    pipelines = [phase for phase in rest if isinstance(phase, Pipeline)]
    if not pipelines:
        return all(isinstance(phase, Background) for phase in rest)
    return all(phase.approval is not None and not _is_agreed(run, phase) for phase in pipelines)


def _is_agreed(run: Run, phase: Pipeline) -> bool:
    gate = run.gate(phase.id, step="")
    return gate is not None and gate.decided_at is not None


def _has_changed(step: StepState) -> bool:
    """Return whether a step changed something, or may have: one that was refused did not."""
    if not step.intent_key or step.outcome == "failed":
        return False
    was_so = isinstance(step.result, dict) and step.result.get("changed") is False
    return not (step.outcome == "ok" and was_so)


def _acted(run: Run) -> list[PhaseState]:
    """List the phases that have changed something, or tried to."""
    pipelines = (run.phases[p.id] for p in run.runbook.phases if isinstance(p, Pipeline))
    return [state for state in pipelines if any(step.intent_key for step in state.steps.values())]


def _approvers(run: Run) -> tuple[Person, ...]:
    people = {person.id: person for gate in run.approvals.values() for person in gate.approved_by}
    return tuple(people.values())


def _decider(run: Run) -> Person | None:
    deciders = [gate.decided_by for gate in run.approvals.values() if gate.decided_by is not None]
    last = deciders[-1] if deciders else None
    return run.cancelled_by or run.steering.aborted_by or run.steering.promoted_by or last


def _steps(run: Run) -> list[StepState]:
    return [step for phase in run.phases.values() for step in phase.steps.values()]


def _word(params: JsonObject, key: str) -> str:
    value = params.get(key)
    return value if isinstance(value, str) else ""


def _version_before(result: JsonObject | None) -> str:
    """Read the version that was there from what a target was seen to run, or from what an action replaced."""
    match result:
        case {"type": "facts", "data": {"stable": {"version": str(version)}} | {"current": str(version)}}:
            return version
        case {"type": "done", "before": {"stable": str(version)} | {"version": str(version)}}:
            return version
        case _:
            return ""


def _version_after(result: JsonObject | None) -> str:
    match result:
        case {"type": "facts", "data": {"version": str(version), "current": str()}}:
            return version  # where a rollback leads back to
        case {"type": "done", "after": {"stable": str(version)} | {"version": str(version)}}:
            return version
        case _:
            return ""


def _first(found: Iterable[str]) -> str:
    return next((version for version in found if version), "")
