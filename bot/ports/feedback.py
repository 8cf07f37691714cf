"""People's feedback on diagnoses."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis


class FeedbackStore(Protocol):
    """Each person's latest rating of each diagnosis; it outlives the runs."""

    async def rate(self, said: DiagnosisSummary, feedback: Feedback) -> bool:
        """Store a person's rating; return false, and store nothing, if that person has a later one."""
        ...

    async def of(self, run_id: str) -> tuple[Feedback, ...]:
        """List each person's latest rating of a run's diagnosis, oldest first."""
        ...

    async def between(self, start: datetime, end: datetime) -> tuple[RatedDiagnosis, ...]:
        """List the rated diagnoses made from ``start`` to before ``end``, oldest first."""
        ...
