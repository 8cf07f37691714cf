"""What a judge is given: metrics of a canary and of stable, and the rules to judge them by."""

from __future__ import annotations

from math import isnan
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.model import JsonValue, Model, Share

Direction = Literal["increase", "decrease", "either"]
Count = Annotated[int, Field(ge=0)]
_NOT_NUMBERS = {"nan": float("nan"), "inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf")}


def _reading(value: JsonValue) -> JsonValue | float:
    """Read what monitoring systems write where they have no number: ``"NaN"``, ``"+Inf"``."""
    return _NOT_NUMBERS.get(value.lower(), value) if isinstance(value, str) else value


def _share_or_none(value: JsonValue) -> JsonValue | float:
    """Read a share; what monitoring systems return without traffic, 0/0, is not a share."""
    read = _reading(value)
    return None if isinstance(read, float) and isnan(read) else read


Sample = Annotated[Annotated[float, Field(strict=True)] | None, BeforeValidator(_reading)]
"""A number; ``null`` or ``"NaN"`` where there was none; ``"Inf"`` is an error of its metric."""


class _JudgeInput(Model):
    """What people write; its docstrings are the reference's."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class RequestTally(_JudgeInput):
    """Requests and those of them that failed; each request counts once, however often it was tried."""

    requests: Count = 0
    errors: Count = 0

    @model_validator(mode="after")
    def _no_more_errors_than_requests(self) -> Self:
        if self.errors > self.requests:
            raise ValueError(f"{self.errors} errors of {self.requests} requests: count each request once")
        return self


class CountsLook(_JudgeInput):
    """Both sides' counters at one moment, cumulative as counters are."""

    at_s: float = Field(default=0.0, ge=0)
    """Seconds since any fixed moment; never falls."""
    weight: Share | None = None
    """The share of the traffic that the canary was to get; another weight begins another step."""
    canary: RequestTally
    stable: RequestTally


class Attempt(_JudgeInput):
    """One try of one request; a retry has the same id."""

    request_id: str
    """The same for each try of one request."""
    side: Literal["canary", "stable"]
    failed: bool


class _Metric(_JudgeInput):
    name: str = Field(min_length=1, max_length=100)
    critical: bool = False
    """If it fails, the canary is stopped, whatever the score."""
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """0: shown and not counted."""
    optional: bool = False
    """Without data it is reported and left out of the score; other metrics ask a person."""
    query: str = ""
    """The resolved query, shown with the verdict."""
    error: str = ""
    """Why it could not be read; then it is an error, whatever else is given."""

    @model_validator(mode="after")
    def _a_critical_metric_is_never_optional(self) -> Self:
        if self.critical and (self.optional or self.weight == 0):
            raise ValueError("a critical metric must not be optional and needs a weight")
        return self


class CountMetric(_Metric):
    """Errors among requests: judged at every look, by odds."""

    kind: Literal["counts"] = "counts"
    looks: tuple[CountsLook, ...] = ()
    """In the order of time.  The first is the baseline of both sides, from before the canary got traffic:
    only what was counted since then is judged."""
    attempts: tuple[Attempt, ...] = ()
    """Instead of looks: single tries, from which each request is counted once."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    """The chance to ever stop a canary that is as good as stable."""
    beta: float = Field(default=0.05, gt=0, lt=1)
    """The chance to ever pass a canary that is ``harmful_ratio`` times as bad."""
    harmful_ratio: float = Field(default=2.0, gt=1)
    """Passes once it is surely less than this many times as bad as stable."""
    harmless_share: float = Field(default=0.001, ge=0, lt=1)
    """A canary whose error share is surely below it passes without a comparison; 0: never."""
    min_requests: int = Field(default=100, ge=1)
    """Requests the canary must have served before it can pass."""

    @model_validator(mode="after")
    def _one_source_of_counts(self) -> Self:
        if self.looks and self.attempts:
            raise ValueError("give either `looks` or `attempts`, not both")
        return self


class SampleMetric(_Metric):
    """Measurements in time order on both sides: judged by the interval of their shift."""

    kind: Literal["samples"] = "samples"
    canary: tuple[Sample, ...] = ()
    stable: tuple[Sample, ...] = ()
    unit: str = ""
    direction: Direction = "increase"
    """Which way harms."""
    confidence: float = Field(default=0.98, gt=0.5, lt=1)
    planned_looks: int = Field(default=1, ge=1)
    """How often it will be judged; the risk is shared among the looks (Bonferroni)."""
    tolerated_change: float = Field(default=0.05, ge=0)
    """Fails when the shift is surely beyond this share of stable's median."""
    harmful_change: float = Field(default=0.5, gt=0)
    """Passes when the shift is surely within this share of stable's median."""
    tolerated_shift: float = Field(default=0.0, ge=0)
    """The least ``tolerated_change``, in the metric's unit; for a stable median of 0."""
    harmful_shift: float = Field(default=0.0, ge=0)
    """The least ``harmful_change``, in the metric's unit."""
    independent: bool = False
    """The samples are not a time series, so no autocorrelation is estimated."""
    min_samples: int = Field(default=10, ge=2)
    interval_s: float | None = Field(default=None, gt=0)
    """Seconds between two samples, for the estimate of the wait."""

    @model_validator(mode="after")
    def _harm_is_beyond_what_is_tolerated(self) -> Self:
        if self.harmful_change < self.tolerated_change:
            raise ValueError("`harmful_change` must be at least `tolerated_change`")
        return self


class LimitMetric(_Metric):
    """Measurements of the canary alone against absolute limits; a value at the limit is within it."""

    kind: Literal["limit"] = "limit"
    values: tuple[Sample, ...] = ()
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    tolerated_breaches: int = Field(default=0, ge=0)
    """Fails when more values than this are outside."""
    min_values: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _a_limit_is_given(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("give `at_most`, `at_least` or both")
        return self


class BurnWindow(_JudgeInput):
    """An alert window of the SRE workbook: burning faster than ``factor`` in the long *and* the short one."""

    long: str
    """Its name, such as `1h`."""
    short: str
    """Its name, such as `5m`."""
    factor: float = Field(gt=0)
    """The SRE workbook pages at 14.4 over an hour and 5 minutes, and at 6 over 6 hours and 30 minutes."""
    long_error_share: Annotated[Share | None, BeforeValidator(_share_or_none)] = None
    short_error_share: Annotated[Share | None, BeforeValidator(_share_or_none)] = None


class BurnRateMetric(_Metric):
    """How fast the error budget burns (1: it lasts just as long as its period)."""

    kind: Literal["burn"] = "burn"
    objective: float = Field(gt=0, lt=1)
    """The share of good answers that was promised, such as 0.999."""
    windows: tuple[BurnWindow, ...] = ()
    budget_left: float | None = Field(default=None, le=1)
    """The share of the budget that is left; below 0 it is overspent."""


Metric = Annotated[CountMetric | SampleMetric | LimitMetric | BurnRateMetric, Field(discriminator="kind")]


class JudgePolicy(_JudgeInput):
    """How the metrics are combined."""

    proceed_at: float = Field(default=100.0, gt=0, le=100)
    """Proceeds from this score on, if nothing is open."""
    ask_at: float = Field(default=75.0, ge=0, le=100)
    """Asks from this score on; below, it stops."""
    no_data: Literal["ask", "stop"] = "ask"
    """What to do if a metric that is not optional has no data or could not be read."""
    inconclusive: Literal["ask", "stop"] = "ask"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ask_at > self.proceed_at:
            raise ValueError("`ask_at` must not be above `proceed_at`")
        return self


class Traffic(_JudgeInput):
    """What a canary will get, for the warning before it is started."""

    requests_per_s: float = Field(ge=0, allow_inf_nan=False)
    """Of the whole service."""
    error_share: Share
    """Of stable, as it is now."""
    measured_s: float | None = Field(default=None, gt=0)
    """Over how many seconds that was measured."""
    canary_share: float = Field(gt=0, lt=1)
    least_share: float | None = Field(default=None, gt=0, lt=1)
    """The smallest share at which it is judged, where it needs longest to pass; ``None``: the same."""
    harmless_share: float = Field(default=0.001, ge=0, lt=1)
    """As that of the counts: a share of errors surely below it passes without a comparison; 0: never."""
    window_s: float = Field(gt=0)
    """How long the canary is to be watched at one share."""
    ratio: float = Field(default=2.0, gt=1)
    """How many times more errors must be seen."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    beta: float = Field(default=0.05, gt=0, lt=1)


class CanaryCase(_JudgeInput):
    """One thing to be judged."""

    metrics: tuple[Metric, ...] = Field(min_length=1)
    """Distinguished by their `kind`; each name is unique."""
    policy: JudgePolicy = JudgePolicy()
    """How they are combined."""
    traffic: Traffic | None = None
    """What the canary is to get; with it, the answer includes whether that is enough."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [metric.name for metric in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two metrics have the name {twice[0]!r}")
        return self
