"""People's ratings of diagnoses, in Redis: one hash a diagnosis, and an index by time."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.adapters.redis.store import RedisStore
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis

_KEPT_S = 400 * 86_400
"""Runs are deleted sooner, but a better ranking shows only over a year."""
_WORD = "word:"


class RedisFeedbackStore:
    """Everyone's latest rating of each diagnosis, kept for 400 days."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store
        self._shard = store.keys.shared

    async def rate(self, said: DiagnosisSummary, feedback: Feedback) -> bool:
        """Store a person's rating; return false, and store nothing, if they have a later one."""
        keys = (self._shard.feedback(said.run_id), self._shard.rated)
        word, about = feedback.model_dump_json(), said.model_dump_json()
        arguments = (feedback.by.id, _ms(feedback.at), word, about, said.run_id, _ms(said.at), _KEPT_S)
        return bool(await self._store.run("rate", keys, *arguments))

    async def of(self, run_id: str) -> tuple[Feedback, ...]:
        """Return everyone's latest rating of a run's diagnosis, oldest first."""
        rated = await self._read(run_id)
        return rated.feedback if rated is not None else ()

    async def between(self, start: datetime, end: datetime) -> tuple[RatedDiagnosis, ...]:
        """Return the rated diagnoses made from ``start`` to before ``end``, oldest first."""
        ids = await self._store.client.zrangebyscore(self._shard.rated, _ms(start), f"({_ms(end)}")
        found = await asyncio.gather(*(self._read(str(run_id)) for run_id in ids))
        return tuple(rated for rated in found if rated is not None)

    async def _read(self, run_id: str) -> RatedDiagnosis | None:
        fields = await self._store.hash(self._shard.feedback(run_id))
        if not fields:
            return None
        words = [
            Feedback.model_validate_json(text) for name, text in fields.items() if name.startswith(_WORD)
        ]
        words.sort(key=lambda word: (word.at, word.by.id))
        return RatedDiagnosis(
            said=DiagnosisSummary.model_validate_json(fields["said"]), feedback=tuple(words)
        )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
