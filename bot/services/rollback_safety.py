"""Combines reports on whether a deployment can be rolled back; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, ValidationError

from bot.domain.diagnoses.diagnosis import ReducerResult
from bot.domain.model import JsonObject, Model

Verdict = Literal["safe", "until", "impossible"]

_UNKNOWN = "unknown"
_WORST_FIRST = ("impossible", _UNKNOWN, "until", "safe")


class SafetyReport(Model):
    """One source's report on the rollback; for ``until``, ``step`` is where it stops being possible."""

    source: str
    verdict: Verdict | None = None
    """None where it could not be read."""
    step: str = ""
    because: str = ""


class _RollbackData(Model):
    verdict: Verdict
    step: str = ""
    because: str = Field(default="", max_length=2000)


def safety_report(source: str, data: JsonObject) -> SafetyReport | None:
    """Return the report under a probe's ``rollback`` key; none where there is no such key."""
    told = data.get("rollback")
    if told is None:
        return None
    try:
        read = _RollbackData.model_validate(told)
    except ValidationError:
        return SafetyReport(source=source, because="its report on the rollback could not be read")
    return SafetyReport(source=source, verdict=read.verdict, step=read.step, because=read.because)


def rollback_safety(words: Sequence[SafetyReport], *, accepted: bool = False) -> ReducerResult:
    """Return in one line whether a rollback is possible: the worst report counts, and no report is not safe.

    ``impossible`` is a verdict of ``fail``, unless a person has ``accepted`` it beforehand: then it is
    ``unknown``, and the summary names the acceptance.
    """
    if not words:
        return ReducerResult(
            verdict="unknown", summary="rollback: not known, because no source reported on it"
        )
    worst = min(words, key=lambda word: _WORST_FIRST.index(word.verdict or _UNKNOWN))
    details = tuple(f"{word.source}: {_said(word)}" for word in words)
    match worst.verdict:
        case "safe":
            return ReducerResult(verdict="pass", summary="rollback: safe", details=details)
        case "until":
            return ReducerResult(verdict="pass", summary=f"rollback: {_said(worst)}", details=details)
        case "impossible" if not accepted:
            return ReducerResult(verdict="fail", summary=f"rollback: {_said(worst)}", details=details)
        case "impossible":
            summary = f"rollback: {_said(worst)}; accepted by the person who asked for it"
            return ReducerResult(verdict="unknown", summary=summary, details=details)
        case None:
            return ReducerResult(verdict="unknown", summary=f"rollback: {_said(worst)}", details=details)


def _said(word: SafetyReport) -> str:
    because = f", because {word.because}" if word.because else ""
    match word.verdict:
        case None:
            return f"not known{because}"
        case "until":
            return f"safe until {word.step or 'the last step'}{because}"
        case verdict:
            return f"{verdict}{because}" if verdict == "impossible" else verdict
