"""A diagnosis that must stay correct from now on: what was read, and the expected result."""

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
    """The expected result; ``none``: there is no fault, ``unclear``: the cause cannot be determined."""

    cause: CauseKind | Literal["none", "unclear"]
    service: str = ""
    """The service at fault; not given with ``none`` and ``unclear``."""
    component: str = ""
    """The part of it, where that is to be right as well."""
    also: tuple[TrueCause, ...] = ()
    """What is as true at the same time: any of them may stand first, and each must be named."""


class Regression(Model):
    """One case; it has no names of people or channels, only what the sources returned."""

    format: Literal["pilothouse-regression/1"] = "pilothouse-regression/1"
    run: str
    """The run it was taken from."""
    why: str = ""
    """What was wrong with the diagnosis."""
    service: str
    """The service that was triaged."""
    expected: ExpectedDiagnosis
    inputs: Inputs
    steps: tuple[StepState, ...]


def mistake(expected: ExpectedDiagnosis, diagnosis: Diagnosis) -> str:
    """Return in words what is wrong with a diagnosis; empty if it is as expected."""
    got = f"the diagnosis was {_result(diagnosis)}"
    match expected.cause:
        case "none":
            return "" if diagnosis.verdict == "no_fault_found" else f"there was no fault, but {got}"
        case "unclear":
            return "" if diagnosis.verdict == "unclear" else f"the cause could not be determined, but {got}"
        case kind:
            top = diagnosis.top
            wanted = f"{kind.value} of {expected.service} {expected.component}".rstrip()
            truths = {(kind, expected.service), *((truth.cause, truth.service) for truth in expected.also)}
            named = {(cause.kind, cause.service) for cause in diagnosis.causes if cause.confidence >= _NAMED}
            right = (
                top is not None
                and (top.kind, top.service) in truths
                and (not expected.also or truths <= named)
                and (bool(expected.also) or expected.component in ("", top.component))
            )
            return "" if right else f"expected {wanted}, but {got}"


def _result(diagnosis: Diagnosis) -> str:
    top = diagnosis.top
    if top is None:
        return diagnosis.verdict.replace("_", " ")
    return f"{top.kind.value} of {top.service} {top.component}".rstrip()
