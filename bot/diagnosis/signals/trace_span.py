"""One span, as the trace store returns it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpan:
    """One span; times in seconds."""

    trace: str
    id: str
    parent: str
    service: str
    name: str
    start_s: float
    took_s: float
    failed: bool = False
    peer: str = ""
    """Whom it calls, where it is a call."""
