"""A runbook: what people write in YAML, as checked models."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, model_validator

from bot.domain.model import JsonObject, JsonValue, Model, Name
from bot.domain.rollouts.judging import JudgePolicy, Metric

Expression = Annotated[str, Field(min_length=1, max_length=500)]
"""A sandboxed Jinja2 expression, without braces."""


class Param(Model):
    """One word that a runbook takes."""

    type: Literal["string", "service", "version", "duration", "integer", "boolean"] = "string"
    """A duration is written ``30m`` and arrives as seconds; a version that does not exist is refused."""
    summary: str = ""
    required: bool = False
    default: JsonValue = None
    pattern: str = Field(default="", max_length=200)
    """A regular expression, without look-around, that all of a `string` must match; none unless given."""


class PluginCall(Model):
    """A call of a probe or an action with its arguments, which may hold templates."""

    probe: str = ""
    action: str = ""
    arguments: JsonObject = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.probe) == bool(self.action):
            raise ValueError("name either a `probe` or an `action`")
        return self

    @property
    def plugin(self) -> str:
        """The plugin's name, whichever kind it is."""
        return self.probe or self.action

    @property
    def is_action(self) -> bool:
        """Whether the call changes something."""
        return bool(self.action)


class Check(Model):
    """A probe whose answer must meet an expectation; ``result`` is the answer."""

    id: Name
    title: str = ""
    probe: str
    arguments: JsonObject = Field(default_factory=dict, alias="with")
    expect: Expression
    """Such as ``result.value <= 0.02``."""
    within_s: float = Field(default=60, gt=0, le=3600)
    every_s: float = Field(default=1, gt=0)
    hold_s: float = Field(default=0, ge=0)
    """Seconds for which it must stay true before it counts."""


class ApprovalPolicy(Model):
    """Who must agree before a phase starts.  ``expires_s`` is in seconds."""

    groups: tuple[str, ...] = ()
    """Names of groups; none means the service's own approvers."""
    quorum: int = Field(default=1, ge=1, le=10)
    expires_s: int = Field(default=1800, gt=0, le=7 * 86_400)
    remind_s: int | None = Field(default=None, gt=0)
    """Seconds after which those who may decide are reminded; half of ``expires_s`` unless given."""
    allow_requester: bool = False
    """Whether the person who started the run may approve; needs ``why``."""
    waived_when: Expression | None = None
    """No approval is asked for where this is true; announced, recorded, and needs ``why``."""
    why: str = ""

    @model_validator(mode="after")
    def _loud(self) -> Self:
        if (self.allow_requester or self.waived_when) and not self.why:
            raise ValueError("`allow_requester` and `waived_when` need a `why`")
        return self


class ReadMetric(PluginCall):
    """A metric that a judge reads at each look, and the rule it is judged by."""

    rule: Metric
    """As in the reference of the judge, without its data."""


class Judging(Model):
    """Compares a canary with stable at every look until it is sure; when the time is over, people decide."""

    metrics: tuple[ReadMetric, ...] = Field(min_length=1)
    policy: JudgePolicy = JudgePolicy()
    for_s: float | Expression = 60
    """After this many seconds a person is asked, if it is not decided."""
    at_least_s: float | Expression = 0
    """It never passes before."""
    every_s: float = Field(default=1, gt=0)
    ask: ApprovalPolicy = ApprovalPolicy()
    """Who decides where the judge cannot; until then it goes on looking, and may still stop."""


class Step(PluginCall):
    """One call inside a phase."""

    id: Name
    title: str = ""
    timeout_s: float = Field(default=10, gt=0, le=3600)
    for_each: Expression | None = None
    """An expression that yields a list; one step per ``item`` (in a fan_out or a pipeline)."""
    undo: PluginCall | None = None
    no_undo: str = ""
    """Why there is no undo, where there is none."""
    verify: tuple[Check, ...] = ()
    approval: ApprovalPolicy | None = None
    judge: Judging | None = None
    """Compares canary and stable after the step, before what comes next."""


class PhaseBase(Model):
    """What every phase has."""

    id: Name
    title: str = ""
    when: Expression | None = None
    """Skipped unless true; ``phases`` and ``params`` are known."""


class Explore(PhaseBase):
    """Reads the ground: probes only."""

    kind: Literal["explore"]
    steps: tuple[Step, ...] = Field(min_length=1)
    required: bool = False
    """Whether a step that could not be read ends the run, before anything is changed."""


class FanOut(PhaseBase):
    """Independent steps run at once; ``deadline_s`` seconds for all of them together."""

    kind: Literal["fan_out"]
    steps: tuple[Step, ...] = Field(min_length=1)
    deadline_s: float = Field(default=20, gt=0, le=3600)
    required: bool = False
    """Whether a step that could not be read ends the run, before anything is changed."""


ReducerName = Literal["rank_causes", "all", "any", "worst", "rollback_safety"]


class Reduce(PhaseBase):
    """Folds the results of earlier phases with a named reducer."""

    kind: Literal["reduce"]
    reducer: ReducerName
    over: tuple[Name, ...] = Field(min_length=1)
    arguments: JsonObject = Field(default_factory=dict, alias="with")
    required: bool = False
    """Whether a verdict of `fail` ends the run, before anything is changed."""
    look_again_s: float | None = Field(default=None, gt=0, le=3600)
    """After so many seconds the sources of an unclear diagnosis are read once more, if one did not answer."""


class Remedy(Model):
    """The steps for one kind of cause; ``cause`` is known to its templates."""

    when: Expression | None = None
    summary: str
    risk: str = ""
    """What it costs and who will notice, for the person who approves."""
    steps: tuple[Step, ...] = Field(min_length=1)
    verify: tuple[Check, ...] = ()


class Plan(PhaseBase):
    """Renders exactly what will change; nothing happens here.

    Either ``of`` names a pipeline whose own steps are the plan, or ``diagnosis`` names a reduce phase and
    ``remedies`` maps the kind of its top cause to steps.
    """

    kind: Literal["plan"]
    of: Name | None = None
    summary: str = ""
    """What a plan `of` a pipeline does, in a sentence; its title unless given."""
    risk: str = ""
    """What a plan `of` a pipeline costs and who will notice, for the person who approves."""
    diagnosis: Name | None = None
    remedies: dict[str, tuple[Remedy, ...]] = Field(default_factory=dict)
    verify: tuple[Check, ...] = ()
    """Checks that follow every remedy."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.of is None) == (self.diagnosis is None):
            raise ValueError("name either `of` (a pipeline) or `diagnosis` (a reduce phase)")
        return self


class Pipeline(PhaseBase):
    """Ordered steps; the first failure stops it and undoes, in reverse, what has an undo."""

    kind: Literal["pipeline"]
    plan: Name | None = None
    """The plan phase whose steps are run."""
    steps: tuple[Step, ...] = ()
    approval: ApprovalPolicy | None = None
    verify: tuple[Check, ...] = ()
    watch: tuple[Check, ...] = ()
    """Must hold while the steps run; a breach stops the pipeline and undoes."""
    preempts: bool = False
    """Whether it aborts a rollout under way at the service before asking for approval, and goes next."""
    lease: bool = False
    """Whether the candidate's traffic hangs on the worker that runs the steps: a dead-man switch."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.plan is None) == (not self.steps):
            raise ValueError("name a `plan` or list `steps`, not both")
        if self.plan is not None and self.verify:
            raise ValueError("put `verify` into the plan, so that people approve it too")
        return self


class Background(PhaseBase):
    """Watches for a bounded time after the foreground is done."""

    kind: Literal["background"]
    after: Name | None = None
    """Only if that pipeline did its work."""
    for_s: float | Expression = 600
    """Seconds, or an expression that yields them."""
    every_s: float = Field(default=15, gt=0)
    checks: tuple[Check, ...] = Field(min_length=1)
    breaches: int = Field(default=2, ge=1)
    """This many bad samples in a row are a breach."""
    on_breach: Name | None = None
    """The runbook to start, with the same parameters."""


Phase = Annotated[
    Explore | FanOut | Reduce | Plan | Pipeline | Background,
    Field(discriminator="kind"),
]


class Runbook(Model):
    """A YAML file: summary, params, phases."""

    name: Name
    summary: str
    params: dict[str, Param] = Field(default_factory=dict)
    lane: Literal["urgent", "normal"] = "normal"
    phases: tuple[Phase, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [phase.id for phase in self.phases]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"two phases have the same id: {', '.join(twice)}")
        return self

    def phase(self, phase_id: str) -> Phase:
        """Find a phase by id; the loader has made sure that it exists."""
        return next(phase for phase in self.phases if phase.id == phase_id)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()


def plan_source(runbook: Runbook, pipeline: str) -> str:
    """Name the phase that renders a pipeline's plan: a plan phase, or the pipeline itself."""
    phase = runbook.phase(pipeline)
    if isinstance(phase, Pipeline) and phase.plan is not None:
        return phase.plan
    return next((p.id for p in runbook.phases if isinstance(p, Plan) and p.of == pipeline), pipeline)


def steps_of(phase: Phase) -> tuple[Step, ...]:
    """List the steps written in a phase."""
    match phase:
        case Explore() | FanOut() | Pipeline():
            return phase.steps
        case Plan():
            return tuple(
                step for options in phase.remedies.values() for option in options for step in option.steps
            )
        case Reduce() | Background():
            return ()
        case _:
            assert_never(phase)


def checks_of(phase: Phase) -> tuple[Check, ...]:
    """List the checks written in a phase, those of its steps included."""
    own: tuple[Check, ...] = ()
    match phase:
        case Plan():
            own = (
                *phase.verify,
                *(c for options in phase.remedies.values() for o in options for c in o.verify),
            )
        case Pipeline():
            own = (*phase.verify, *phase.watch)
        case Background():
            own = phase.checks
        case Explore() | FanOut() | Reduce():
            own = ()
        case _:
            assert_never(phase)
    return (*own, *(check for step in steps_of(phase) for check in step.verify))
