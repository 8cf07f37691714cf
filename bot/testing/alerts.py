"""The memory twin of the alert store."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.clock import Clock, SystemClock
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Acknowledgement, Alert, Silence
from bot.domain.monitoring.episode import NEWER_EPISODE, after_report, closed
from bot.domain.people import Person


class MemoryAlertStore:
    """The alerts that were reported."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Start empty; ``clock`` decides when a silence ends."""
        self._clock = clock or SystemClock()
        self._alerts: dict[str, Alert] = {}
        self._acknowledged: dict[str, Acknowledgement] = {}
        self._silences: dict[str, Silence] = {}
        self._ended_silenced: set[str] = set()
        self._triages: dict[str, str] = {}

    async def report(self, alert: Alert) -> bool:
        """Store an alert's state, and close older episodes; return false if nothing is new."""
        known, reported = self._alerts.get(alert.id), alert.as_reported()
        others = [one for one in self._alerts.values() if one.fingerprint == alert.fingerprint]
        newest = max(others, key=lambda one: one.starts_at, default=None)
        if newest is not None and newest.starts_at < reported.starts_at:
            await self.report(closed(newest, at=reported.starts_at, because=NEWER_EPISODE))
        elif known is None and newest is not None and reported.status == "firing":
            return False
        state = after_report(known, reported)
        if state is None:
            return False
        self._alerts[alert.id] = state
        if state.status == "firing":
            self._ended_silenced.discard(alert.id)
        elif self._silence(alert.fingerprint) is not None:
            self._ended_silenced.add(alert.id)
        return True

    async def get(self, alert_id: str) -> Alert:
        """Return an alert."""
        if alert_id not in self._alerts:
            raise NotFoundError("I no longer know this alert.", hint="Type `/triage <service>` instead.")
        alert = self._alerts[alert_id]
        return alert.decided(
            acknowledgement=self._acknowledged.get(alert_id),
            silence=self._silence(alert.fingerprint),
            ended_silenced=alert_id in self._ended_silenced,
        )

    async def newest(self, fingerprint: str) -> Alert | None:
        """Return the newest episode of a fingerprint; none if it never fired."""
        found = [alert for alert in self._alerts.values() if alert.fingerprint == fingerprint]
        newest = max(found, key=lambda alert: alert.starts_at, default=None)
        return None if newest is None else await self.get(newest.id)

    async def firing(self, *, limit: int = 50) -> tuple[Alert, ...]:
        """List the alerts that fire, newest first."""
        found = [alert for alert in self._alerts.values() if alert.status == "firing"]
        found.sort(key=lambda alert: (alert.starts_at, alert.id), reverse=True)
        return tuple([await self.get(alert.id) for alert in found[:limit]])

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """List the alerts that fired at ``since`` or after: those that fire, then the last to end."""
        ends = {alert.id: _end(alert) for alert in self._alerts.values()}
        found = [alert for alert in self._alerts.values() if ends[alert.id] >= since]
        found.sort(key=lambda alert: (ends[alert.id], alert.id), reverse=True)
        return tuple(found[:limit])

    async def acknowledge(self, alert_id: str, *, by: Person, at: datetime) -> bool:
        """Record who acknowledges an alert; return false if it is already acknowledged."""
        mine = Acknowledgement(by=by, at=at)
        return self._acknowledged.setdefault(alert_id, mine) is mine

    async def attach(self, alert_id: str, run_id: str) -> None:
        """Record the triage that an alert belongs to; the last write wins."""
        self._triages[alert_id] = run_id

    async def run_of(self, alert_id: str) -> str:
        """Return the id of the triage that an alert belongs to; empty without one."""
        return self._triages.get(alert_id, "")

    async def silence(self, fingerprint: str, *, by: Person, until: datetime) -> None:
        """Suppress notifications for this fingerprint until ``until``; the last write wins."""
        self._silences[fingerprint] = Silence(by=by, until=until)

    async def unsilence(self, fingerprint: str) -> None:
        """End a silence now."""
        self._silences.pop(fingerprint, None)

    async def silence_of(self, fingerprint: str) -> tuple[Person, datetime] | None:
        """Return who silenced a fingerprint, and until when; none if it is not silenced."""
        silence = self._silence(fingerprint)
        return None if silence is None else (silence.by, silence.until)

    def _silence(self, fingerprint: str) -> Silence | None:
        silence = self._silences.get(fingerprint)
        return silence if silence is not None and self._clock.now() < silence.until else None


def _end(alert: Alert) -> datetime:
    firing = alert.status == "firing"
    return datetime.max.replace(tzinfo=UTC) if firing else alert.ends_at or alert.starts_at
