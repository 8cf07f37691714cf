"""The ports for heartbeats: probes read what is known of a job, `web` writes down what it reports."""

from __future__ import annotations

from typing import Protocol

from bot.domain.errors import ProbeNotConfiguredError
from bot.domain.monitoring.heartbeat import Heartbeat, Pulse


class Pulses(Protocol):
    """What is known of jobs; all that a probe may do with heartbeats."""

    async def pulse(self, *, service: str, job: str) -> Pulse | None:
        """Read what is known of a job; none if it has never reported.

        Raises:
            ProbeUnavailableError: it cannot be read; that says nothing about the job.
        """
        ...


class Heartbeats(Pulses, Protocol):
    """The heartbeats of all jobs."""

    async def beat(self, beat: Heartbeat) -> None:
        """Write a report down."""
        ...


class NoPulses:
    """Where nobody keeps heartbeats, that is said instead of calling every job silent."""

    async def pulse(self, *, service: str, job: str) -> Pulse | None:
        """Refuse.

        Raises:
            ProbeNotConfiguredError: always.
        """
        raise ProbeNotConfiguredError(
            f"No heartbeats are kept here, so {job} of {service} cannot be asked for."
        )
