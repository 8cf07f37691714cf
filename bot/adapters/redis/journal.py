"""Journals in Redis: one hash a run, every write of an owner fenced by its epoch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from bot.adapters.redis.store import Store
from bot.domain.errors import NotFoundError, StaleEpochError
from bot.domain.event import EVENT, Event, RunStarted
from bot.engine.ports import Taken


class RedisJournal:
    """The journals of all runs; finished ones are kept for ``retention_s`` seconds."""

    def __init__(self, store: Store, *, retention_s: int = 30 * 86_400) -> None:
        """Keep the store."""
        self._store = store
        self._retention_s = retention_s

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Begin a run and make it ready; false if there is one of that id already."""
        shard = self._store.keys.of(run_id)
        lane = event.runbook.lane
        keys = (shard.run(run_id), shard.queue(lane), shard.dirty, shard.index)
        started = await self._store.run("start", keys, run_id, _json(event), lane)
        self._store.changed.set()
        return bool(started)

    async def take(self, run_id: str) -> Taken | None:
        """Own the run at the next epoch; none if it is finished or unknown."""
        shard = self._store.keys.of(run_id)
        answer = await self._store.run("take", (shard.run(run_id), shard.due), run_id)
        if answer is None:
            return None
        epoch, flat = answer
        fields = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
        return Taken(epoch=int(epoch), events=_events(fields))

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Write facts as the owner; gives the journal's length, facts of others included."""
        return await self._write(run_id, events, epoch=epoch, finish=False)

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Write the last facts and let go of the run for good."""
        await self._write(run_id, events, epoch=epoch, finish=True)

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Let go of the run until a wake-up or ``until``; false if the journal is longer."""
        shard = self._store.keys.of(run_id)
        due = "" if until is None else int(until.timestamp() * 1000)
        answer = await self._store.run("park", (shard.run(run_id), shard.due), run_id, epoch, length, due)
        if answer == -1:
            raise _stale(run_id, epoch)
        return bool(answer)

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Write facts from outside; false if the journal is longer than ``length``."""
        shard = self._store.keys.of(run_id)
        lane = await self._store.field(shard.run(run_id), "lane") or "normal"
        keys = (shard.run(run_id), shard.queue(lane), shard.dirty, shard.due)
        texts = [_json(event) for event in events]
        written = await self._store.run("interject", keys, run_id, length, "wake" if wake else "", *texts)
        self._store.changed.set()
        return bool(written)

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Read a journal."""
        fields = await self._store.hash(self._store.keys.of(run_id).run(run_id))
        if not fields:
            raise NotFoundError(
                f"There is no run {run_id}.", hint="Finished runs are kept for a limited time."
            )
        return _events(fields)

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """List the ids of the latest runs, newest first."""
        found: list[tuple[str, float]] = []
        for shard in self._store.keys.all:
            pairs = await self._store.client.zrevrange(shard.index, 0, limit - 1, withscores=True)
            found += cast("list[tuple[str, float]]", pairs)
        newest = sorted(found, key=lambda pair: -pair[1])
        return tuple(run_id for run_id, _ in newest[:limit])

    async def sweep(self, *, now: datetime) -> int:
        """Forget the index entries of runs older than the retention; gives how many."""
        oldest = (now.timestamp() - self._retention_s) * 1000
        removed = 0
        for shard in self._store.keys.all:
            removed += await self._store.client.zremrangebyscore(shard.index, "-inf", oldest)
        return removed

    async def _write(self, run_id: str, events: Sequence[Event], *, epoch: int, finish: bool) -> int:
        shard = self._store.keys.of(run_id)
        keys = (shard.run(run_id), shard.dirty, shard.due)
        texts = [_json(event) for event in events]
        mode = "finish" if finish else ""
        length = int(await self._store.run("append", keys, run_id, epoch, mode, self._retention_s, *texts))
        if length < 0:
            raise _stale(run_id, epoch)
        self._store.changed.set()
        return length


def _json(event: Event) -> str:
    return event.model_dump_json(by_alias=True, exclude_defaults=False)


def _events(fields: dict[str, str]) -> tuple[Event, ...]:
    return tuple(EVENT.validate_json(fields[f"e:{number}"]) for number in range(int(fields["n"])))


def _stale(run_id: str, epoch: int) -> StaleEpochError:
    return StaleEpochError(f"{run_id} is no longer at epoch {epoch}; another worker owns it.")
