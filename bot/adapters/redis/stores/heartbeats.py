"""Heartbeats in Redis: one hash a job, written in one step."""

from __future__ import annotations

from redis.exceptions import RedisError

from bot.adapters.redis.store import RedisStore
from bot.domain.errors import ProbeUnavailableError
from bot.domain.monitoring.heartbeat import Heartbeat, JobState

_KEPT_S = 400 * 86_400
"""A job that runs once a year is still known when its next run is due."""


class RedisHeartbeats:
    """The heartbeats of all jobs."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def beat(self, beat: Heartbeat) -> None:
        """Store a report."""
        key = self._store.keys.shared.heartbeat(beat.service, beat.job)
        at = beat.at.isoformat()
        await self._store.run("beat", (key,), beat.model_dump_json(), beat.status, at, _KEPT_S)

    async def pulse(self, *, service: str, job: str) -> JobState | None:
        """Return a job's last report; none if it has never reported."""
        try:
            known = await self._store.hash(self._store.keys.shared.heartbeat(service, job))
        except (RedisError, OSError) as error:
            raise ProbeUnavailableError(
                "The heartbeats cannot be read right now.", hint="Check that Redis is up."
            ) from error
        if not known:
            return None
        return JobState(
            last=Heartbeat.model_validate_json(known["last"]),
            ok_at=known.get("ok_at"),
            failures=int(known["failures"]),
        )
