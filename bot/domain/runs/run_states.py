"""Where the steps and phases of a run stand."""

from __future__ import annotations

from pydantic import Field

from bot.domain.model import Instant, JsonObject, Model
from bot.domain.rollouts.canary import CanaryReading
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.event import PhaseOutcome, PreliminaryDiagnosisChanged, StepOutcome, WatchSampled
from bot.domain.runs.inputs import Inputs
from bot.domain.runs.plan import RenderedPlan


class StepState(Model):
    """Where one step stands; ``outcome`` is none while it runs."""

    id: str
    title: str = ""
    specialist: str = ""
    outcome: StepOutcome | None = None
    result: JsonObject | None = None
    error: str = ""
    hint: str = ""
    reason: str = ""
    took_s: float = 0
    intent_key: str = ""
    """Set once its outside effect was intended; with no outcome it is in doubt."""
    intent_epoch: int = 0
    readings: tuple[CanaryReading, ...] = ()
    """What its judge has read so far."""
    verdict: CanaryVerdict | None = None
    """The judge's latest."""
    judged_since: Instant | None = None
    undone: StepOutcome | None = None
    undo_key: str = ""
    """Set once its undo was intended; with nothing ``undone`` that is in doubt."""
    left: str = ""
    """Why its undo left things as they are, in words; empty where it put them back."""

    @property
    def in_doubt(self) -> bool:
        """Whether its effect was intended and no result was recorded."""
        return bool(self.intent_key) and self.outcome is None

    @property
    def undo_in_doubt(self) -> bool:
        """Whether its undo was intended and no result was recorded."""
        return bool(self.undo_key) and self.undone is None


class PhaseState(Model):
    """Where one phase stands; ``outcome`` is none until it has ended."""

    id: str
    started_at: Instant | None = None
    finished_at: Instant | None = None
    steps: dict[str, StepState] = Field(default_factory=dict)
    outcome: PhaseOutcome | None = None
    why: str = ""
    output: JsonObject | None = None
    leanings: tuple[PreliminaryDiagnosisChanged, ...] = ()
    """What its answers pointed to, each time that one moved it."""
    inputs: Inputs | None = None
    """What its reducer is asked with, besides the phases it folds."""
    again_at: Instant | None = None
    """When its sources are read again; none unless that is planned."""
    again_because: str = ""
    """Why they are, or were."""
    looks: int = 1
    """How many times its sources were read."""
    plan: RenderedPlan | None = None
    samples: tuple[WatchSampled, ...] = ()
    """The last few looks of a watch."""
    samples_total: int = 0
    behind: tuple[str, ...] = ()
    """The runs that it waits for, because they are at the same service."""

    @property
    def worked(self) -> bool:
        """Whether it did what it was for, at least in part."""
        return self.outcome in ("ok", "partial")
