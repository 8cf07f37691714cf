"""The state of monitors, and which of their slots are claimed, in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.redis.store import RedisStore
from bot.domain.monitoring.monitor import MonitorState, Pause

_AT_ONCE = 500
_MOST_CHECKS = 100_000
_MS = 1000


class RedisMonitorStore:
    """One field a monitor in each of a few hashes: their number grows with the catalogue, not with time."""

    def __init__(self, store: RedisStore) -> None:
        """Read and write through ``store``."""
        self._store = store

    async def states(self, names: Sequence[str]) -> dict[str, MonitorState]:
        """Return the state of monitors; one that never ran has a new state."""
        shard, known = self._store.keys.shared, dict[str, MonitorState]()
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            keys = (shard.monitor_states, shard.monitor_pauses)
            states, pauses = await self._store.run("known", keys, *some)
            for name, state, pause in zip(some, states, pauses, strict=True):
                known[name] = _read(state, pause)
        return known

    async def fire(self, name: str, slots_s: Sequence[float]) -> int:
        """Claim slots, oldest first, and queue their checks; return how many were unclaimed."""
        shard = self._store.keys.shared
        slots_ms = (round(slot_s * _MS) for slot_s in slots_s)
        keys = (shard.monitor_slots, shard.checks)
        return int(await self._store.run("fire", keys, name, _MOST_CHECKS, *slots_ms))

    async def last_slot(self, names: Sequence[str]) -> dict[str, float]:
        """Return the latest claimed slot of each, in seconds since the epoch; those without are left out."""
        claimed = await self._store.hash(self._store.keys.shared.monitor_slots)
        return {name: float(claimed[name]) / _MS for name in names if name in claimed}

    async def keep(self, name: str, state: MonitorState) -> bool:
        """Store the result of a check, but not the pause; return false if a newer slot is already stored."""
        shard = self._store.keys.shared
        keys = (shard.monitor_kept, shard.monitor_states)
        text = state.model_dump_json(exclude={"pause"})
        slot_ms = round(state.watched.slot_s * _MS)
        return bool(await self._store.run("keep", keys, name, slot_ms, text))

    async def pause(self, name: str, pause: Pause | None) -> None:
        """Pause a monitor, or resume it."""
        key = self._store.keys.shared.monitor_pauses
        if pause is None:
            await self._store.client.hdel(key, name)
        else:
            await self._store.client.hset(key, name, pause.model_dump_json())


def _read(state: str | None, pause: str | None) -> MonitorState:
    known = MonitorState() if state is None else MonitorState.model_validate_json(state)
    return known if pause is None else known.but(pause=Pause.model_validate_json(pause))
