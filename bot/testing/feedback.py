"""The memory twin of what people say of diagnoses."""

from __future__ import annotations

from datetime import datetime

from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis


class MemoryFeedbackStore:
    """Everybody's latest word on each diagnosis, in this process."""

    def __init__(self) -> None:
        """Start without a word."""
        self._said: dict[str, DiagnosisSummary] = {}
        self._words: dict[str, dict[str, Feedback]] = {}

    async def rate(self, said: DiagnosisSummary, feedback: Feedback) -> bool:
        """Keep a person's word; false, and nothing kept, if a later one of theirs is there."""
        words = self._words.setdefault(said.run_id, {})
        known = words.get(feedback.by.id)
        if known is not None and known.at > feedback.at:
            return False
        words[feedback.by.id] = feedback
        self._said[said.run_id] = said
        return True

    async def of(self, run_id: str) -> tuple[Feedback, ...]:
        """List everybody's latest word on a run's diagnosis, oldest first."""
        words = self._words.get(run_id, {}).values()
        return tuple(sorted(words, key=lambda word: (word.at, word.by.id)))

    async def between(self, start: datetime, end: datetime) -> tuple[RatedDiagnosis, ...]:
        """List the diagnoses made from ``start`` to before ``end`` that people spoke about, oldest first."""
        said = sorted(self._said.values(), key=lambda one: (one.at, one.run_id))
        return tuple(
            [
                RatedDiagnosis(said=one, feedback=await self.of(one.run_id))
                for one in said
                if start <= one.at < end
            ]
        )
