"""People's feedback on diagnoses."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis


class FeedbackStore(Protocol):
    """Everybody's latest word on each diagnosis; it outlives the runs."""

    async def rate(self, said: DiagnosisSummary, feedback: Feedback) -> bool:
        """Keep a person's word; false, and nothing kept, if a later one of theirs is there."""
        ...

    async def of(self, run_id: str) -> tuple[Feedback, ...]:
        """List everybody's latest word on a run's diagnosis, oldest first."""
        ...

    async def between(self, start: datetime, end: datetime) -> tuple[RatedDiagnosis, ...]:
        """List the diagnoses made from ``start`` to before ``end`` that people spoke about, oldest first."""
        ...
