"""The facts in a run's journal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.domain.model import Instant, JsonObject, Model
from bot.domain.people import Person
from bot.domain.rollouts.canary import CanaryReading, SteeringWord
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.approval import Approval, Audience, Decision, Verdict
from bot.domain.runs.inputs import Inputs
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.preliminary import Move, PreliminaryDiagnosis
from bot.domain.runs.runbook import Runbook

StepOutcome = Literal[
    "ok", "failed", "unavailable", "garbage", "not_configured", "timed_out", "crashed", "in_doubt"
]
PhaseOutcome = Literal["ok", "partial", "failed", "skipped", "rejected", "expired", "withdrawn", "breached"]
RunOutcome = Literal[
    "recovered",
    "no_fault_found",
    "unclear",
    "no_remedy",
    "rejected",
    "expired",
    "withdrawn",
    "failed",
    "not_recovered",
    "cancelled",
    "done",
    "breached",
]


class Origin(Model):
    """Where a run was asked for, and hence where it is reported."""

    kind: Literal["command", "mention", "shortcut", "button", "webhook", "cli", "run"]
    channel: str = ""
    thread: str = ""
    """The timestamp of the thread's first message, where it was asked for in a thread."""
    alert: str = ""
    """The alert's id, where an alert is what it is about."""


class StepRef(Model):
    """A step as the thread names it."""

    id: str
    title: str
    specialist: str = ""


class RunStarted(Model):
    """Everything a run will ever need to know of the outside is pinned here."""

    type: Literal["run_started"] = "run_started"
    at: Instant
    runbook: Runbook
    params: JsonObject
    requested_by: Person
    origin: Origin


class PhaseStarted(Model):
    """A phase began with these steps."""

    type: Literal["phase_started"] = "phase_started"
    at: Instant
    phase: str
    steps: tuple[StepRef, ...] = ()


class TurnAwaited(Model):
    """A phase waits until other runs have done with the service."""

    type: Literal["turn_awaited"] = "turn_awaited"
    at: Instant
    phase: str
    behind: tuple[str, ...]
    """The ids of those runs."""


class TurnTaken(Model):
    """The wait is over."""

    type: Literal["turn_taken"] = "turn_taken"
    at: Instant
    phase: str


class StepFinished(Model):
    """A step's result, recorded once and never recomputed."""

    type: Literal["step_finished"] = "step_finished"
    at: Instant
    phase: str
    step: str
    outcome: StepOutcome
    result: JsonObject | None = None
    error: str = ""
    hint: str = ""
    reason: str = ""
    took_s: float = 0


class PlanRendered(Model):
    """The plan as people will see and approve it."""

    type: Literal["plan_rendered"] = "plan_rendered"
    at: Instant
    phase: str
    plan: RenderedPlan


class ApprovalRequested(Model):
    """A gate was raised; the run may be let go of."""

    type: Literal["approval_requested"] = "approval_requested"
    at: Instant
    approval: Approval


class ApproversFound(Model):
    """The people who may decide were looked up, to mention and to ask them."""

    type: Literal["approvers_found"] = "approvers_found"
    at: Instant
    approval_id: str
    audience: Audience


class ApprovalReminded(Model):
    """Those who may decide were reminded; once for each approval."""

    type: Literal["approval_reminded"] = "approval_reminded"
    at: Instant
    approval_id: str


class VoteCast(Model):
    """One click that counts; ``decision`` is what it brought about, if anything."""

    type: Literal["vote_cast"] = "vote_cast"
    at: Instant
    approval_id: str
    by: Person
    verdict: Verdict
    decision: Decision | None = None
    why: str = ""
    """The reason that the person gave, for a rejection."""
    key: str = ""
    """The click's own key: a redelivery of the same click is the same vote."""


class ApprovalEnded(Model):
    """A gate closed without a click: it expired, the run was cancelled, or the plan's ground is gone."""

    type: Literal["approval_ended"] = "approval_ended"
    at: Instant
    approval_id: str
    decision: Literal["expired", "cancelled", "withdrawn"]
    why: str = ""
    """Why a plan was withdrawn."""


class EffectIntended(Model):
    """An outside effect is about to happen; without a result after it, it is in doubt."""

    type: Literal["effect_intended"] = "effect_intended"
    at: Instant
    phase: str
    step: str
    key: str
    epoch: int
    undo: bool = False
    """Whether it puts back what the step had changed; ``StepUndone`` is its result then."""


class StepUndone(Model):
    """What a step had changed was put back, or that failed."""

    type: Literal["step_undone"] = "step_undone"
    at: Instant
    phase: str
    step: str
    outcome: StepOutcome
    result: JsonObject | None = None
    error: str = ""


class PreliminaryDiagnosisChanged(Model):
    """The answer of a step moved what the evidence so far points to; it decides nothing."""

    type: Literal["leaned"] = "leaned"
    at: Instant
    phase: str
    step: str
    leaning: PreliminaryDiagnosis
    move: Move


class InputsPinned(Model):
    """A reducer is about to be asked with this; a later repetition passes the same."""

    type: Literal["inputs_pinned"] = "inputs_pinned"
    at: Instant
    phase: str
    inputs: Inputs


class LookAgainPlanned(Model):
    """A diagnosis is unclear for a reason that may pass: its sources are to be read once more."""

    type: Literal["look_again_planned"] = "look_again_planned"
    at: Instant
    phase: str
    until: Instant
    """When they are read again."""
    because: str
    output: JsonObject
    """The diagnosis so far."""


class LookedAgain(Model):
    """The time has come: the sources of a diagnosis are being read again, and the first answers are void."""

    type: Literal["looked_again"] = "looked_again"
    at: Instant
    phase: str
    over: tuple[str, ...]
    """The phases that are read again."""


class WatchSampled(Model):
    """A watch looked once."""

    type: Literal["sampled"] = "sampled"
    at: Instant
    phase: str
    ok: bool | None
    """None: it could not be measured, which is not good."""
    text: str = ""
    seen: dict[str, JsonObject] = Field(default_factory=dict)
    """What checks keep for the next look and for the end, by their ids: ``data.watch`` of their results."""


class ApprovalWaived(Model):
    """An approval was skipped, because the runbook allows that for this case; always announced."""

    type: Literal["approval_waived"] = "approval_waived"
    at: Instant
    phase: str
    step: str = ""
    plan_hash: str
    why: str


class CanaryJudged(Model):
    """A judge looked once at a canary and at stable."""

    type: Literal["judged"] = "judged"
    at: Instant
    phase: str
    step: str
    reading: CanaryReading
    verdict: CanaryVerdict


class RolloutSteered(Model):
    """A person steered a rollout under way."""

    type: Literal["steered"] = "steered"
    at: Instant
    by: Person
    word: SteeringWord
    key: str = ""
    """The click's own key: a redelivery of the same click counts once."""


class PhaseFinished(Model):
    """A phase ended; ``output`` is its reducer's, where it has one."""

    type: Literal["phase_finished"] = "phase_finished"
    at: Instant
    phase: str
    outcome: PhaseOutcome
    why: str = ""
    output: JsonObject | None = None


class CancelRequested(Model):
    """A person asked for the run to end."""

    type: Literal["cancel_requested"] = "cancel_requested"
    at: Instant
    by: Person
    why: str = ""


class RunFinished(Model):
    """The last fact of a run."""

    type: Literal["run_finished"] = "run_finished"
    at: Instant
    outcome: RunOutcome
    summary: str


Event = Annotated[
    RunStarted
    | PhaseStarted
    | TurnAwaited
    | TurnTaken
    | StepFinished
    | PreliminaryDiagnosisChanged
    | InputsPinned
    | LookAgainPlanned
    | LookedAgain
    | PlanRendered
    | ApprovalRequested
    | ApproversFound
    | ApprovalReminded
    | VoteCast
    | ApprovalEnded
    | ApprovalWaived
    | EffectIntended
    | StepUndone
    | WatchSampled
    | CanaryJudged
    | RolloutSteered
    | PhaseFinished
    | CancelRequested
    | RunFinished,
    Field(discriminator="type"),
]  # fmt: skip

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one event from JSON."""
