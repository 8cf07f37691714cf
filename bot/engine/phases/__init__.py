"""One function per phase kind, and the answers that each may return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.model import JsonObject
from bot.domain.runs.event import PhaseOutcome


@dataclass(frozen=True, kw_only=True)
class PhaseEnd:
    """The phase is over."""

    outcome: PhaseOutcome
    why: str = ""
    output: JsonObject | None = None


@dataclass(frozen=True, kw_only=True)
class PhaseWait:
    """The phase waits for a person or a later time; the run is released meanwhile."""

    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class PhaseRepeat:
    """Earlier phases must run again before this one; what is to be done is in the journal."""


Answer = PhaseEnd | PhaseWait | PhaseRepeat
