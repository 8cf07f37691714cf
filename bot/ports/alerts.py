"""The alerts that were reported, and what people decided about them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person


class AlertStore(Protocol):
    """The alerts that were reported, and what people decided about them, which no report undoes."""

    async def report(self, alert: Alert) -> bool:
        """Keep an alert's latest state; false if nothing is new.  A resolved alert does not fire again."""
        ...

    async def get(self, alert_id: str) -> Alert:
        """Read an alert.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    async def firing(self, *, limit: int = 50) -> tuple[Alert, ...]:
        """List the alerts that fire, newest first."""
        ...

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...

    async def acknowledge(self, alert_id: str, *, by: Person, at: datetime) -> bool:
        """Write down who looks after an alert; false if somebody does already."""
        ...

    async def silence(self, fingerprint: str, *, by: Person, until: datetime) -> None:
        """Let nothing new be told of a fingerprint until then; the latest word wins."""
        ...

    async def unsilence(self, fingerprint: str) -> None:
        """End a silence now; who does so marks the topics that should be shown at once."""
        ...

    async def silence_of(self, fingerprint: str) -> tuple[Person, datetime] | None:
        """Tell who silenced a fingerprint, and until when; none if it is not silenced."""
        ...


class AlertHistory(Protocol):
    """What fired lately; all that a probe may do with the book of alerts."""

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...
