"""A diagnosis that must come out right from now on: what was read, and what it should have said."""

from __future__ import annotations

from typing import Literal

from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis
from bot.domain.model import Model
from bot.domain.runs.inputs import Inputs
from bot.domain.runs.run_states import StepState

NO_FAULT = "none"
UNCLEAR = "unclear"


_NAMED = 0.5
"""From this confidence on a cause is more likely than not."""


class TrueCause(Model):
    """A true cause beside the first one, and the service that it is in."""

    cause: CauseKind
    service: str


class ExpectedDiagnosis(Model):
    """What should be said; ``none`` that there is no fault, ``unclear`` that one cannot tell."""

    cause: CauseKind | Literal["none", "unclear"]
    service: str = ""
    """The service at fault; not given with ``none`` and ``unclear``."""
    component: str = ""
    """The part of it, where that is to be right as well."""
    also: tuple[TrueCause, ...] = ()
    """What is as true at the same time: any of them may stand first, and each must be named."""


class Regression(Model):
    """One case: nobody's name and no channel is in it, only what the sources brought."""

    format: Literal["pilothouse-regression/1"] = "pilothouse-regression/1"
    run: str
    """The run it was taken from."""
    why: str = ""
    """What was wrong with what was said."""
    service: str
    """The service that was triaged."""
    expected: ExpectedDiagnosis
    inputs: Inputs
    steps: tuple[StepState, ...]


def mistake(expected: ExpectedDiagnosis, said: Diagnosis) -> str:
    """Tell in words what is wrong with a diagnosis; empty if it is as expected."""
    told = f"it said {_said(said)}"
    match expected.cause:
        case "none":
            return "" if said.verdict == "no_fault_found" else f"there was no fault, but {told}"
        case "unclear":
            return "" if said.verdict == "unclear" else f"nobody could tell, but {told}"
        case kind:
            top = said.top
            wanted = f"{kind.value} of {expected.service} {expected.component}".rstrip()
            truths = {(kind, expected.service), *((truth.cause, truth.service) for truth in expected.also)}
            named = {(cause.kind, cause.service) for cause in said.causes if cause.confidence >= _NAMED}
            right = (
                top is not None
                and (top.kind, top.service) in truths
                and (not expected.also or truths <= named)
                and (bool(expected.also) or expected.component in ("", top.component))
            )
            return "" if right else f"it was {wanted}, but {told}"


def _said(said: Diagnosis) -> str:
    top = said.top
    if top is None:
        return said.verdict.replace("_", " ")
    return f"{top.kind.value} of {top.service} {top.component}".rstrip()
