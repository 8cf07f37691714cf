"""Ranked causes with confidence, what was ruled out, and what could not be read."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.domain.diagnoses.finding import Finding
from bot.domain.formatting import listed
from bot.domain.model import Instant, JsonObject, Model, Share


class CauseKind(StrEnum):
    """The kinds of trouble that a diagnosis can name."""

    BAD_RELEASE = "bad_release"
    BAD_CONFIGURATION = "bad_configuration"
    DATABASE_LOCK = "database_lock"
    DATABASE_DOWN = "database_down"
    DEPENDENCY_DOWN = "dependency_down"
    SATURATION = "saturation"
    SERVICE_DOWN = "service_down"
    CODE_FAULT = "code_fault"
    UNKNOWN = "unknown"


class SourceStatus(StrEnum):
    """How reading one source went."""

    OK = "ok"
    PARTIAL = "partial"
    """It answered, and reported that a part of its data is missing."""
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"
    GARBAGE = "garbage"
    CRASHED = "crashed"
    NOT_CONFIGURED = "not_configured"


class Source(Model):
    """One source of evidence and how reading it went."""

    name: str
    status: SourceStatus
    why: str = ""


class Cause(Model):
    """One candidate; ``evidence`` and ``against`` name findings by id or state a fact."""

    kind: CauseKind
    service: str
    component: str = ""
    summary: str
    """One sentence: what most likely happened."""
    confidence: Share
    evidence: tuple[str, ...] = ()
    """Ids of findings that speak for it; each resolves in ``Diagnosis.findings``."""
    against: tuple[str, ...] = ()
    """What speaks against it, a short sentence each."""
    began_at: Instant | None = None
    data: JsonObject = Field(default_factory=dict)
    """What a remedy needs, such as ``version``, ``previous_version``, ``key``, ``before``, ``pid``."""


class OriginCandidate(Model):
    """A service in which the trouble may have begun, by what was found of all of them, whatever the cause."""

    service: str
    score: float = Field(ge=0)
    """In no unit, to be compared within one diagnosis only."""
    confidence: Share
    """For the first place the chance that it is right; for the others as much less as their scores are."""
    evidence: tuple[str, ...] = ()
    """Ids of findings, the one that adds most first; each resolves in ``Diagnosis.findings``."""


class RuledOut(Model):
    """A suspicion that was looked into and dropped."""

    what: str
    why: str


Verdict = Literal["cause_found", "unclear", "no_fault_found"]


class Diagnosis(Model):
    """The result of REDUCE: the most likely cause first, or that there is none."""

    type: Literal["diagnosis"] = "diagnosis"
    service: str
    verdict: Verdict
    summary: str
    causes: tuple[Cause, ...] = ()
    """Best first; confidences need not add up to one."""
    ruled_out: tuple[RuledOut, ...] = ()
    sources: tuple[Source, ...] = ()
    findings: tuple[Finding, ...] = ()
    onset: Instant | None = None
    places: tuple[OriginCandidate, ...] = ()
    """Where it began, most likely first."""

    @property
    def top(self) -> Cause | None:
        """The cause to act on: only one that was found, not merely suspected."""
        return self.causes[0] if self.verdict == "cause_found" and self.causes else None

    @property
    def unread(self) -> tuple[Source, ...]:
        """The sources that could not be read, without those that the service does not have."""
        well = (SourceStatus.OK, SourceStatus.NOT_CONFIGURED)
        return tuple(source for source in self.sources if source.status not in well)


_PASSING = (SourceStatus.TIMED_OUT, SourceStatus.UNAVAILABLE, SourceStatus.PARTIAL)


def may_clear_up(diagnosis: Diagnosis) -> str:
    """Return why reading the sources again may make an unclear diagnosis clear; empty if it may not."""
    if diagnosis.verdict != "unclear":
        return ""
    silent = [source.name for source in diagnosis.unread if source.status in _PASSING]
    if silent:
        return f"{listed(silent, most=4)} did not answer in full"
    undone = diagnosis.causes[0].data.get("undone") if diagnosis.causes else None
    return f"{undone}, and these figures may be from before" if isinstance(undone, str) else ""


class ReducerResult(Model):
    """The result of the logical reducers (all, any, worst) for a phase's steps."""

    type: Literal["judgement"] = "judgement"
    verdict: Literal["pass", "fail", "unknown"]
    summary: str
    details: tuple[str, ...] = Field(default=())
