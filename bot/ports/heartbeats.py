"""The ports for heartbeats: probes read the state of a job, `web` records its reports."""

from __future__ import annotations

from typing import Protocol

from bot.domain.monitoring.heartbeat import Heartbeat, JobState


class JobHistory(Protocol):
    """The states of jobs; the part of the heartbeats that probes may use."""

    async def pulse(self, *, service: str, job: str) -> JobState | None:
        """Return the state of a job; none if it has never reported.

        Raises:
            ProbeUnavailableError: it cannot be read; that means nothing about the job.
        """
        ...


class Heartbeats(JobHistory, Protocol):
    """The heartbeats of all jobs."""

    async def beat(self, beat: Heartbeat) -> None:
        """Record a report."""
        ...
