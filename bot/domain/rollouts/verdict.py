"""A judge's verdict on a canary: for each metric, and for all of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field

from bot.domain.model import Model

Decision = Literal["proceed", "stop", "ask"]
"""What to do with a canary; ``ask`` means that a person decides."""


class MetricOutcome(StrEnum):
    """What became of one metric; five different things, never merged."""

    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """There are data, but they do not decide it (yet)."""
    NO_DATA = "no_data"
    """There is nothing to judge; that is not a pass."""
    ERROR = "error"
    """The metric could not be read, or holds values that are not measurements."""


class _JudgeOutput(Model):
    """A judge's output; its docstrings are the reference's."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Interval(_JudgeOutput):
    """Where the shift lies, in the metric's own unit; an open end is ``None``."""

    low: float | None
    high: float | None
    confidence: float = Field(gt=0, lt=1)


class MetricVerdict(_JudgeOutput):
    """One metric's outcome, with all that a person needs to check it."""

    metric: str
    outcome: MetricOutcome
    reason: str
    """A stable code, such as ``odds_reached`` or ``too_few_samples``."""
    text: str
    """The same for people, with its numbers."""
    critical: bool = False
    weight: float = 1.0
    optional: bool = False
    value: float | None = None
    """Of the canary, in ``unit``."""
    baseline: float | None = None
    """Of stable, in ``unit``."""
    unit: str = ""
    interval: Interval | None = None
    odds: float | None = None
    """The evidence that the canary is worse, against equal; at most 1e300."""
    effective_canary: float | None = None
    """How many independent samples the canary's are worth."""
    effective_stable: float | None = None
    have: int | None = None
    needed: int | None = None
    """``have`` of ``needed`` before it can be decided; ``None`` where that is not known."""
    wait_s: float | None = None
    """About how many seconds until then; ``None`` where the pace is not known."""
    query: str = ""
    """The resolved query, ready to paste."""


class CanaryVerdict(_JudgeOutput):
    """All metrics together."""

    decision: Decision
    reason: str
    """A stable code: ``critical_failed``, ``score_too_low``, ``not_decided`` …"""
    text: str
    score: float | None
    """The weight that passed of the weight that was decided, 0 to 100; ``None`` where nothing was."""
    decided_by: tuple[str, ...]
    """The metrics that the decision rests on, heaviest first."""
    wait_s: float | None = None
    """Seconds after which what is open may be decided; a watch waits that long before it asks."""
    metrics: tuple[MetricVerdict, ...] = ()


class Forecast(_JudgeOutput):
    """Whether a canary's traffic is enough to see it fail, estimated before it starts."""

    enough: bool
    needed_s: float | None
    """Seconds until such a fault is seen, most of them sooner; ``None``: never, at this traffic."""
    errors_needed: int
    """On both sides together."""
    passes_s: float | None = None
    """Seconds until a canary as good as stable passes, at its smallest share; ``None``: never."""
    text: str
