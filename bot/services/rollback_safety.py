"""Whether a deployment could be taken back, from what each part of it says; pure."""

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
    """What one source says of the way back; ``step`` is where it ends, for ``until``."""

    source: str
    verdict: Verdict | None = None
    """None where it could not be read."""
    step: str = ""
    because: str = ""


class _Told(Model):
    verdict: Verdict
    step: str = ""
    because: str = Field(default="", max_length=2000)


def word_of(source: str, data: JsonObject) -> SafetyReport | None:
    """Read a probe's ``rollback`` key; none where it says nothing of the way back."""
    told = data.get("rollback")
    if told is None:
        return None
    try:
        read = _Told.model_validate(told)
    except ValidationError:
        return SafetyReport(source=source, because="what it said of the way back is not understood")
    return SafetyReport(source=source, verdict=read.verdict, step=read.step, because=read.because)


def rollback_safety(words: Sequence[SafetyReport], *, accepted: bool = False) -> ReducerResult:
    """Say in one line whether there is a way back: the worst word counts, and silence is not safe.

    ``impossible`` is a verdict of ``fail``, unless a person has ``accepted`` it beforehand: then it is
    ``unknown``, and says so.
    """
    if not words:
        return ReducerResult(
            verdict="unknown", summary="rollback: not known, because nothing was told about it"
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
            summary = f"rollback: {_said(worst)}; accepted by who asked for it"
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
