"""Deployments: what was put where, by whom, with whose consent, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, assert_never

from bot.domain.model import Instant, JsonObject, Model
from bot.domain.people import Person
from bot.domain.run import PhaseState, Run, StepState
from bot.domain.runbook import Background, Pipeline

DeploymentOutcome = Literal[
    "running", "succeeded", "rolled_back", "failed", "rejected", "expired", "cancelled"
]

ROLLBACK = "rollback"
_STRATEGY = "deploy-"


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
    """What was there before; empty where nobody could tell."""
    requested_by: Person
    approved_by: tuple[Person, ...] = ()
    requested_at: Instant
    started_at: Instant
    """When it was free to change something: after the approval."""
    finished_at: Instant | None = None
    """When nothing more was to be changed; a watch may go on after that, and still call it a failure."""
    outcome: DeploymentOutcome
    changed: bool = False
    """Whether anything was changed at all, and be it put back later."""
    emergency: str = ""
    """The reason why gates were passed over; empty for an ordinary one."""
    why: str = ""
    """What it was for."""
    rollback_of: str = ""
    """The id of the deployment that this one took back."""
    verdict: str = ""
    """What the judge said last: ``proceed``, ``stop`` or ``ask``."""
    decided_by: Person | None = None
    """Who had the last word on it."""
    summary: str = ""
    """How it ended, in a sentence."""

    @property
    def is_rollback(self) -> bool:
        """Whether it is there to take another one back."""
        return self.strategy == ROLLBACK

    @property
    def duration_s(self) -> float | None:
        """How many seconds the change took, without the waiting for an approval; none until its end."""
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()


def deployment_of(run: Run) -> Deployment | None:
    """Tell the deployment that a run is; none if it is something else, or changes nothing.  Pure."""
    name = run.runbook.name
    if (name != ROLLBACK and not name.startswith(_STRATEGY)) or run.params.get("dry_run") is True:
        return None
    emergency, why, rollback_of = (_word(run.params, key) for key in ("emergency", "why", "rollback_of"))
    version = _word(run.params, "version") or _word(run.params, "to")
    steps = _steps(run)
    verdicts = [step.verdict.decision for step in steps if step.verdict is not None]
    return Deployment(
        id=run.id,
        service=run.service,
        environment=run.service.partition("@")[2] or _word(run.params, "environment"),
        strategy=name.removeprefix(_STRATEGY),
        version=version or _first(_version_after(step.result) for step in steps),
        previous_version=_first(_version_before(step.result) for step in steps),
        requested_by=run.requested_by,
        approved_by=_approvers(run),
        requested_at=run.started_at,
        started_at=_started_at(run),
        finished_at=_finished_at(run),
        outcome=_outcome(run, steps),
        changed=any(step.intent_key for step in steps),
        emergency=emergency,
        why=why,
        rollback_of=rollback_of,
        verdict=verdicts[-1] if verdicts else "",
        decided_by=_decider(run),
        summary=run.summary,
    )


def _outcome(run: Run, steps: Iterable[StepState]) -> DeploymentOutcome:
    undone = [step.undone for step in steps if step.undone is not None]
    if run.outcome is not None and undone and all(outcome == "ok" for outcome in undone):
        return "rolled_back"
    match run.outcome:
        case None | "cancelled" if _is_through(run):
            return "succeeded"  # a watch goes on, or went on until somebody ended it
        case None:
            return "running"
        case "rejected" | "expired" | "cancelled":
            return run.outcome
        case "done" | "recovered":
            return "succeeded"
        case "failed" | "not_recovered" | "breached" | "no_fault_found" | "unclear" | "no_remedy":
            return "failed"
        case _:
            assert_never(run.outcome)


def _started_at(run: Run) -> datetime:
    """Tell when the first phase that acted was free to act."""
    for phase in run.phases.values():
        if phase.started_at is not None and any(step.intent_key for step in phase.steps.values()):
            gate = run.gate(phase.id, step="")
            decided_at = gate.decided_at if gate is not None else None
            return max(phase.started_at, decided_at or phase.started_at)
    return run.started_at


def _finished_at(run: Run) -> datetime | None:
    """Tell when nothing more was to be changed; none while something is."""
    if run.outcome is None and not _is_through(run):
        return None
    ends = [state.finished_at for state in _acted(run) if state.finished_at is not None]
    return max(ends, default=run.finished_at)


def _is_through(run: Run) -> bool:
    """Whether it did all it was to do, but for watching."""
    rest = (run.phases[p.id].outcome for p in run.runbook.phases if not isinstance(p, Background))
    acted = _acted(run)
    return None not in rest and bool(acted) and all(state.worked for state in acted)


def _acted(run: Run) -> list[PhaseState]:
    pipelines = (run.phases[p.id] for p in run.runbook.phases if isinstance(p, Pipeline))
    return [state for state in pipelines if state.outcome not in (None, "skipped")]


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
