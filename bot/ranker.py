"""The ranker: makes a diagnosis from the findings of a run's steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis, Source, SourceStatus
from bot.domain.diagnoses.finding import Findings
from bot.domain.model import JsonObject

if TYPE_CHECKING:  # imported for types only, so it does not count towards the ranker's version
    from bot.domain.runs.event import StepOutcome
    from bot.domain.runs.run_states import StepState

_STATUS: Mapping[StepOutcome, SourceStatus] = {
    "ok": SourceStatus.OK,
    "failed": SourceStatus.UNAVAILABLE,
    "unavailable": SourceStatus.UNAVAILABLE,
    "garbage": SourceStatus.GARBAGE,
    "not_configured": SourceStatus.NOT_CONFIGURED,
    "timed_out": SourceStatus.TIMED_OUT,
    "crashed": SourceStatus.CRASHED,
    "in_doubt": SourceStatus.UNAVAILABLE,
}
_DEFAULT_SINCE_S = 1800.0


def diagnose(
    service: str, steps: Iterable[StepState], *, catalogue: Catalogue, now: datetime, since_s: float
) -> Diagnosis:
    """Rank the causes of ``service``'s trouble by the findings of ``steps``; ``since_s`` is in seconds."""
    results = {step.id: reading_of(step) for step in steps}
    return rank_causes(service=service, catalogue=catalogue, results=results, now=now, since_s=since_s)


def since_s_of(arguments: JsonObject) -> float:
    """Return how many seconds the sources looked back."""
    since = arguments.get("since_s", _DEFAULT_SINCE_S)
    return float(since) if isinstance(since, int | float | str) else _DEFAULT_SINCE_S


def reading_of(step: StepState) -> Findings | Source:
    """Return a step's findings, or how reading its source went."""
    if step.outcome == "ok" and step.result is not None and step.result.get("type") == "findings":
        return Findings.model_validate(step.result)
    status = _STATUS[step.outcome] if step.outcome is not None else SourceStatus.TIMED_OUT
    if status is SourceStatus.OK:
        return Source(name=step.id, status=SourceStatus.GARBAGE, why="it returned no findings")
    return Source(name=step.id, status=status, why=step.error)
