"""The memory twin of the feedback store."""

from __future__ import annotations

from datetime import datetime

from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis


class MemoryFeedbackStore:
    """Each person's latest rating of each diagnosis, in this process."""

    def __init__(self) -> None:
        """Start empty."""
        self._said: dict[str, DiagnosisSummary] = {}
        self._words: dict[str, dict[str, Feedback]] = {}

    async def rate(self, said: DiagnosisSummary, feedback: Feedback) -> bool:
        """Store a person's rating; return false, and store nothing, if that person has a later one."""
        words = self._words.setdefault(said.run_id, {})
        known = words.get(feedback.by.id)
        if known is not None and known.at > feedback.at:
            return False
        words[feedback.by.id] = feedback
        self._said[said.run_id] = said
        return True

    async def of(self, run_id: str) -> tuple[Feedback, ...]:
        """List each person's latest rating of a run's diagnosis, oldest first."""
        words = self._words.get(run_id, {}).values()
        return tuple(sorted(words, key=lambda word: (word.at, word.by.id)))

    async def between(self, start: datetime, end: datetime) -> tuple[RatedDiagnosis, ...]:
        """List the rated diagnoses made from ``start`` to before ``end``, oldest first."""
        said = sorted(self._said.values(), key=lambda one: (one.at, one.run_id))
        return tuple(
            [
                RatedDiagnosis(said=one, feedback=await self.of(one.run_id))
                for one in said
                if start <= one.at < end
            ]
        )
