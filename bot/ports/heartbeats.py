"""The ports for heartbeats: probes read what is known of a job, `web` writes down what it reports."""

from __future__ import annotations

from typing import Protocol

from bot.domain.monitoring.heartbeat import Heartbeat, JobState


class JobHistory(Protocol):
    """What is known of jobs; all that a probe may do with heartbeats."""

    async def pulse(self, *, service: str, job: str) -> JobState | None:
        """Read what is known of a job; none if it has never reported.

        Raises:
            ProbeUnavailableError: it cannot be read; that says nothing about the job.
        """
        ...


class Heartbeats(JobHistory, Protocol):
    """The heartbeats of all jobs."""

    async def beat(self, beat: Heartbeat) -> None:
        """Write a report down."""
        ...
