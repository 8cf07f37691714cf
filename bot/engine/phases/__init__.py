"""One function per phase kind, and what each may answer."""

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
    """The phase needs a person or a later time; the run is let go of meanwhile."""

    until: datetime | None


Answer = PhaseEnd | PhaseWait
