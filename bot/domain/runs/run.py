"""A run: the fold of its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, assert_never

from pydantic import Field

from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.model import Instant, JsonObject, Model
from bot.domain.people import Person
from bot.domain.rollouts.canary import RolloutSteering
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalWaived,
    ApproversFound,
    CanaryJudged,
    CancelRequested,
    EffectIntended,
    Event,
    InputsPinned,
    LookAgainPlanned,
    LookedAgain,
    Origin,
    PhaseFinished,
    PhaseStarted,
    PlanRendered,
    PreliminaryDiagnosisChanged,
    RolloutSteered,
    RunFinished,
    RunOutcome,
    RunStarted,
    StepFinished,
    StepUndone,
    TurnAwaited,
    TurnTaken,
    VoteCast,
    WatchSampled,
)
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Runbook, plan_source


class Run(Model):
    """One execution of a runbook, rebuilt from its events."""

    id: str
    runbook: Runbook
    params: JsonObject
    requested_by: Person
    origin: Origin
    started_at: Instant
    phases: dict[str, PhaseState]
    approvals: dict[str, Approval] = Field(default_factory=dict)
    vote_keys: frozenset[str] = frozenset()
    """The keys of the clicks that count."""
    waived: tuple[ApprovalWaived, ...] = ()
    """The gates that were skipped without asking anyone."""
    steering: RolloutSteering = RolloutSteering()
    cancelled_by: Person | None = None
    cancelled_why: str = ""
    finished_at: Instant | None = None
    outcome: RunOutcome | None = None
    summary: str = ""
    length: int = 1
    """How many events were folded."""

    @property
    def service(self) -> str:
        """The service it is about, where its runbook names one."""
        value = self.params.get("service")
        return value if isinstance(value, str) else ""

    @property
    def emergency(self) -> str:
        """The reason of the emergency that was declared for it; empty if there is none."""
        value = self.params.get("emergency")
        return value.strip() if isinstance(value, str) else ""

    @property
    def waiting_for(self) -> Approval | None:
        """The gate that is open, if one is; none once the run has ended, however it did."""
        if self.outcome is not None:
            return None
        return next((a for a in self.approvals.values() if a.decision is None), None)

    @property
    def state(self) -> Literal["running", "waiting", "finished"]:
        """Where it stands, in a word."""
        if self.outcome is not None:
            return "finished"
        return "waiting" if self.waiting_for else "running"

    def plan_for(self, pipeline: str) -> RenderedPlan | None:
        """Find the plan that a pipeline carries out, once it was rendered."""
        return self.phases[plan_source(self.runbook, pipeline)].plan

    def gate(self, phase: str, *, step: str | None = None) -> Approval | None:
        """The latest gate of a phase; with ``step`` of that step, with an empty one of the whole phase."""
        gates = (a for a in reversed(self.approvals.values()) if a.phase == phase)
        return next((a for a in gates if step is None or a.step == step), None)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The latest diagnosis, where a phase made one."""
        for phase in reversed(self.phases.values()):
            if phase.output and phase.output.get("type") == "diagnosis":
                return Diagnosis.model_validate(phase.output)
        return None


_KEPT_SAMPLES = 60


def fold(run_id: str, events: Iterable[Event]) -> Run:
    """Rebuild a run from its events.

    Raises:
        ValueError: the first event is not the run's start.
    """
    run: Run | None = None
    for event in events:
        run = begin(run_id, event) if run is None else apply(run, event)
    if run is None:
        raise ValueError(f"the journal of {run_id} is empty")
    return run


def begin(run_id: str, event: Event) -> Run:
    """Create a run from its first event."""
    if not isinstance(event, RunStarted):
        raise ValueError(f"the journal of {run_id} begins with {event.type}")  # noqa: TRY004  # bad data, not a bad type
    return Run(
        id=run_id,
        runbook=event.runbook,
        params=event.params,
        requested_by=event.requested_by,
        origin=event.origin,
        started_at=event.at,
        phases={phase.id: PhaseState(id=phase.id) for phase in event.runbook.phases},
    )


def apply(run: Run, event: Event) -> Run:
    """Fold one more event; pure."""
    return _change(run, event).but(length=run.length + 1)


def _change(run: Run, event: Event) -> Run:  # noqa: C901, PLR0911, PLR0912  # a closed set
    match event:
        case RunStarted():
            return run
        case PhaseStarted():
            steps = {s.id: StepState(id=s.id, title=s.title, specialist=s.specialist) for s in event.steps}
            return _phase(run, event.phase, started_at=event.at, steps=steps)
        case TurnAwaited():
            return _phase(run, event.phase, behind=event.behind)
        case TurnTaken():
            return _phase(run, event.phase, behind=())
        case StepFinished():
            return _step_finished(run, event)
        case PreliminaryDiagnosisChanged():
            return _phase(run, event.phase, leanings=(*run.phases[event.phase].leanings, event))
        case InputsPinned():
            pinned = run.phases[event.phase].inputs or event.inputs  # the first ones count
            return _phase(run, event.phase, inputs=pinned)
        case LookAgainPlanned():
            planned = {"again_at": event.until, "again_because": event.because}
            return _phase(run, event.phase, output=event.output, **planned)
        case LookedAgain():
            return _looked_again(run, event)
        case PlanRendered():
            return _phase(run, event.phase, plan=event.plan)
        case ApprovalRequested():
            return run.but(approvals={**run.approvals, event.approval.id: event.approval})
        case VoteCast():
            return _vote(run, event)
        case ApproversFound():
            return _approval(run, event.approval_id, audience=event.audience)
        case ApprovalReminded():
            return _approval(run, event.approval_id, reminded_at=event.at)
        case ApprovalEnded():
            return _approval_ended(run, event)
        case EffectIntended(undo=True):
            return _step(run, event.phase, event.step, undo_key=event.key)
        case EffectIntended():
            return _step(run, event.phase, event.step, intent_key=event.key, intent_epoch=event.epoch)
        case StepUndone():
            return _step(run, event.phase, event.step, undone=event.outcome, left=_left(event.result))
        case WatchSampled():
            phase = run.phases[event.phase]
            kept = (*phase.samples, event)[-_KEPT_SAMPLES:]
            return _phase(run, event.phase, samples=kept, samples_total=phase.samples_total + 1)
        case PhaseFinished():
            return _phase(
                run,
                event.phase,
                finished_at=event.at,
                outcome=event.outcome,
                why=event.why,
                output=event.output,
            )
        case CancelRequested():
            return run.but(cancelled_by=event.by, cancelled_why=event.why)
        case RunFinished():
            return run.but(finished_at=event.at, outcome=event.outcome, summary=event.summary)
        case ApprovalWaived():
            return run.but(waived=(*run.waived, event))
        case CanaryJudged():
            return _judged(run, event)
        case RolloutSteered():
            steering = run.steering.told(event.word, by=event.by, at=event.at, key=event.key)
            return run.but(steering=steering)
        case _:
            assert_never(event)


def _judged(run: Run, event: CanaryJudged) -> Run:
    known = run.phases[event.phase].steps.get(event.step, StepState(id=event.step))
    return _step(
        run,
        event.phase,
        event.step,
        readings=(*known.readings, event.reading),
        verdict=event.verdict,
        judged_since=known.judged_since or event.at,
    )


def _looked_again(run: Run, event: LookedAgain) -> Run:
    """Make the answers of these phases void, so that their steps run again; what was made of them stays."""
    for name in event.over:
        asked = {
            step.id: StepState(id=step.id, title=step.title, specialist=step.specialist)
            for step in run.phases[name].steps.values()
        }
        run = _phase(run, name, steps=asked, outcome=None, finished_at=None, why="", leanings=())
    looks = run.phases[event.phase].looks + 1
    return _phase(run, event.phase, again_at=None, inputs=None, looks=looks)


def _phase(run: Run, phase_id: str, **update: object) -> Run:
    phase = run.phases[phase_id].but(**update)
    return run.but(phases={**run.phases, phase_id: phase})


def _step(run: Run, phase_id: str, step_id: str, **update: object) -> Run:
    steps = run.phases[phase_id].steps
    step = steps.get(step_id, StepState(id=step_id)).but(**update)
    return _phase(run, phase_id, steps={**steps, step_id: step})


def _left(result: JsonObject | None) -> str:
    match result:
        case {"type": "done", "changed": False, "summary": str(said)}:
            return said
        case _:
            return ""


def _step_finished(run: Run, event: StepFinished) -> Run:
    known = run.phases[event.phase].steps.get(event.step)
    if known is not None and known.outcome is not None:
        return run  # the first result counts
    return _step(
        run,
        event.phase,
        event.step,
        outcome=event.outcome,
        result=event.result,
        error=event.error,
        hint=event.hint,
        reason=event.reason,
        took_s=event.took_s,
    )


def _approval_ended(run: Run, event: ApprovalEnded) -> Run:
    if run.approvals[event.approval_id].decision is not None:
        return run  # the first decision counts
    why = {"decided_why": event.why} if event.why else {}
    return _approval(run, event.approval_id, decision=event.decision, decided_at=event.at, **why)


def _approval(run: Run, approval_id: str, **update: object) -> Run:
    approval = run.approvals[approval_id].but(**update)
    return run.but(approvals={**run.approvals, approval_id: approval})


def _vote(run: Run, event: VoteCast) -> Run:
    if event.key and event.key in run.vote_keys:
        return run  # the same click, delivered again
    update: dict[str, object] = {}
    if event.verdict == "approve":
        update["approved_by"] = (*run.approvals[event.approval_id].approved_by, event.by)
    if event.decision is not None:
        update |= {"decision": event.decision, "decided_by": event.by, "decided_at": event.at}
        update["decided_why"] = event.why
    voted = run.but(vote_keys=run.vote_keys | {event.key})
    return _approval(voted, event.approval_id, **update)
