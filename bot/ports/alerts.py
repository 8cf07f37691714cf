"""The alerts that were reported, and what people decided about them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person


class AlertStore(Protocol):
    """The alerts that were reported, and what people decided about them, which no report undoes."""

    async def report(self, alert: Alert) -> bool:
        """Store an alert's state; return false if nothing is new.

        One that was over and fires again goes on.  Older episodes of the same fingerprint are closed, and a
        first report of an episode older than the newest is not new.
        """
        ...

    async def get(self, alert_id: str) -> Alert:
        """Return an alert.

        Raises:
            NotFoundError: no alert has that id.
        """
        ...

    async def newest(self, fingerprint: str) -> Alert | None:
        """Return the newest episode of a fingerprint; none if it never fired."""
        ...

    async def firing(self, *, limit: int = 50) -> tuple[Alert, ...]:
        """List the alerts that fire, newest first."""
        ...

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...

    async def acknowledge(self, alert_id: str, *, by: Person, at: datetime) -> bool:
        """Record who acknowledges an alert; return false if it is already acknowledged."""
        ...

    async def attach(self, alert_id: str, run_id: str) -> None:
        """Record the triage that an alert belongs to; the last write wins."""
        ...

    async def run_of(self, alert_id: str) -> str:
        """Return the id of the triage that an alert belongs to; empty without one."""
        ...

    async def silence(self, fingerprint: str, *, by: Person, until: datetime) -> None:
        """Suppress notifications for this fingerprint until ``until``; the last write wins."""
        ...

    async def unsilence(self, fingerprint: str) -> None:
        """End a silence now; the caller marks the topics that should be updated at once."""
        ...

    async def silence_of(self, fingerprint: str) -> tuple[Person, datetime] | None:
        """Return who silenced a fingerprint, and until when; none if it is not silenced."""
        ...


class AlertHistory(Protocol):
    """Recent alerts; the part of the alert store that probes may use."""

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...
