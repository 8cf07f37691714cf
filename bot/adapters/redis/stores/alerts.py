"""Alerts in Redis; people's decisions have keys of their own, which no report changes."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.adapters.redis.store import RedisStore
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Acknowledgement, Alert, Silence, fingerprint_of
from bot.domain.monitoring.episode import NEWER_EPISODE, after_report, closed
from bot.domain.people import Person


class RedisAlertStore:
    """The reported alerts, kept ``retention_s`` seconds after their last report."""

    def __init__(self, store: RedisStore, *, retention_s: int = 30 * 86_400) -> None:
        """Read and write through ``store``."""
        self._store = store
        self._shard = store.keys.shared
        self._retention_s = retention_s

    async def report(self, alert: Alert) -> bool:
        """Store an alert's latest state, and close older episodes; return false if it is not new."""
        reported = alert.as_reported()
        while True:
            known, newest_id = await self._episode(reported)
            newest = await self._reported(newest_id) if newest_id not in {"", reported.id} else None
            if newest is not None and newest.starts_at < reported.starts_at:
                await self.report(closed(newest, at=reported.starts_at, because=NEWER_EPISODE))
            elif not known and newest is not None and reported.status == "firing":
                return False  # a late report: the newest episode is what holds
            state = after_report(Alert.model_validate_json(known) if known else None, reported)
            if state is None:
                return False
            if await self._write(state, expected=known):
                self._store.changed.set()
                return True

    async def _episode(self, alert: Alert) -> tuple[str, str]:
        """Return what is stored of an episode, and the id of the newest one of its fingerprint."""
        keys = (self._shard.alerts + alert.id, self._shard.newest_alert(alert.fingerprint))
        known, newest = await self._store.run("episode", keys)
        return known, newest

    async def _reported(self, alert_id: str) -> Alert | None:
        text = await self._store.client.hget(self._shard.alerts + alert_id, "alert")
        return Alert.model_validate_json(text) if text else None

    async def _write(self, alert: Alert, *, expected: str) -> bool:
        """Store an episode; return false if another report was stored meanwhile."""
        shard = self._shard
        silence, newest = shard.silence(alert.fingerprint), shard.newest_alert(alert.fingerprint)
        keys = (shard.alerts + alert.id, shard.dirty, shard.firing, silence, shard.fired, newest)
        began_ms = _milliseconds(alert.starts_at)
        ended_ms = "+inf" if alert.status == "firing" else _milliseconds(alert.ends_at or alert.starts_at)
        topic = f"alert:{alert.id}"
        arguments = (expected, alert.model_dump_json(), alert.status, topic, self._retention_s, alert.id)
        return bool(await self._store.run("report", keys, *arguments, began_ms, ended_ms))

    async def get(self, alert_id: str) -> Alert:
        """Return an alert."""
        found = await self._read(alert_id)
        if found is None:
            raise NotFoundError(
                "This alert is no longer in my records.", hint="Run `/triage <service>` instead."
            )
        return found

    async def newest(self, fingerprint: str) -> Alert | None:
        """Return the newest episode of a fingerprint; none if it never fired."""
        newest_id = await self._store.client.get(self._shard.newest_alert(fingerprint))
        return await self._read(str(newest_id)) if newest_id else None

    async def firing(self, *, limit: int = 50) -> tuple[Alert, ...]:
        """Return the firing alerts, newest first."""
        ids = await self._store.run("firing", (self._shard.firing,), self._shard.alerts, limit)
        found = await asyncio.gather(*(self._read(alert_id) for alert_id in ids))
        return tuple(alert for alert in found if alert is not None and alert.status == "firing")

    async def fired(self, *, since: datetime, limit: int = 1000) -> tuple[Alert, ...]:
        """Return the alerts that fired at ``since`` or later: those still firing, then the last to end."""
        shard = self._shard
        texts = await self._store.run("fired", (shard.fired,), shard.alerts, _milliseconds(since), limit)
        return tuple(Alert.model_validate_json(text) for text in texts)

    async def acknowledge(self, alert_id: str, *, by: Person, at: datetime) -> bool:
        """Record who acknowledged an alert; return false if it is already acknowledged."""
        text = Acknowledgement(by=by, at=at).model_dump_json()
        key = self._shard.acknowledgement(alert_id)
        return bool(await self._store.client.set(key, text, nx=True, ex=self._retention_s))

    async def attach(self, alert_id: str, run_id: str) -> None:
        """Record the triage that an alert belongs to.  The last write wins."""
        await self._store.client.set(self._shard.triage(alert_id), run_id, ex=self._retention_s)

    async def run_of(self, alert_id: str) -> str:
        """Return the id of the triage that an alert belongs to; empty without one."""
        return _text(await self._store.client.get(self._shard.triage(alert_id)))

    async def silence(self, fingerprint: str, *, by: Person, until: datetime) -> None:
        """Suppress notifications for a fingerprint until then.  The last write wins."""
        text, key = Silence(by=by, until=until).model_dump_json(), self._shard.silence(fingerprint)
        await self._store.client.set(key, text, pxat=int(until.timestamp() * 1000))

    async def unsilence(self, fingerprint: str) -> None:
        """End a silence now."""
        await self._store.client.delete(self._shard.silence(fingerprint))

    async def silence_of(self, fingerprint: str) -> tuple[Person, datetime] | None:
        """Return who silenced a fingerprint, and until when; none if it is not silenced."""
        text = await self._store.client.get(self._shard.silence(fingerprint))
        if text is None:
            return None
        silence = Silence.model_validate_json(text)
        return silence.by, silence.until

    async def _read(self, alert_id: str) -> Alert | None:
        shard = self._shard
        keys = (
            shard.alerts + alert_id,
            shard.acknowledgement(alert_id),
            shard.silence(fingerprint_of(alert_id)),
        )
        alert, ended_silenced, acknowledged, silenced = await self._store.run("alert", keys)
        if not alert:
            return None
        return Alert.model_validate_json(alert).decided(
            acknowledgement=Acknowledgement.model_validate_json(acknowledged) if acknowledged else None,
            silence=Silence.model_validate_json(silenced) if silenced else None,
            ended_silenced=bool(ended_silenced),
        )


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
