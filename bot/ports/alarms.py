"""The port for past alerts: probes read what was reported to the bot itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.errors import ProbeNotConfiguredError
from bot.domain.monitoring.alert import Alert


class Alarms(Protocol):
    """What fired lately; all that a probe may do with the book of alerts."""

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ...


class NoAlarms:
    """Where nobody keeps alerts, that is said instead of calling every service quiet."""

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:  # noqa: ARG002  # a port
        """Refuse.

        Raises:
            ProbeNotConfiguredError: always.
        """
        raise ProbeNotConfiguredError("No alerts are kept here, so nobody knows which ones fired.")
