"""Journals in Redis: one hash a run, every write of an owner fenced by its epoch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from bot.adapters.redis.keys import LANES
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.journal_codec import JournalCodec, facts_json
from bot.domain.errors import NotFoundError, StaleEpochError
from bot.domain.runs.event import CancelRequested, EffectIntended, Event, RunStarted, VoteCast
from bot.ports.journal import OwnedRun

_AT_ONCE = 1000
"""How many runs one script reads; it blocks the server for some milliseconds."""


class RedisJournal:
    """The journals of all runs; finished ones are kept for ``retention_s`` seconds."""

    def __init__(self, store: RedisStore, *, retention_s: int = 30 * 86_400) -> None:
        """Read and write through ``store``."""
        self._store = store
        self._retention_s = retention_s
        self._books = JournalCodec(store)
        self._writes = itertools.count(1)

    async def start(self, run_id: str, event: RunStarted) -> bool:
        """Begin a run and make it ready; return false if its id already exists."""
        shard = self._store.keys.of(run_id)
        lane = event.runbook.lane
        keys = (
            *(shard.run(run_id), shard.queue(lane), shard.dirty),
            *(shard.index, shard.books, shard.active),
        )
        digest = self._books.digest_of(event.runbook)
        first = facts_json((event,))
        started = -1
        if self._books.is_kept(shard, digest):
            started = await self._store.run("start", keys, run_id, first, lane, digest, "")
        if started < 0:
            text = event.runbook.model_dump_json(by_alias=True)
            started = await self._store.run("start", keys, run_id, first, lane, digest, text)
            self._books.note_kept(shard, digest)
        self._store.changed.set()
        return bool(started)

    async def take(self, run_id: str) -> OwnedRun | None:
        """Take ownership of the run at the next epoch; return none if it is finished or unknown."""
        shard = self._store.keys.of(run_id)
        answer = await self._store.run("take", (shard.run(run_id), shard.due, shard.active), run_id)
        if answer is None:
            return None
        epoch, flat = answer
        fields = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
        return OwnedRun(epoch=int(epoch), events=await self._books.facts_of(shard, fields))

    async def append(self, run_id: str, events: Sequence[Event], *, epoch: int) -> int:
        """Write events as the owner; return the journal's length, events of others included."""
        return await self._write(run_id, events, epoch=epoch, finish=False)

    async def finish(self, run_id: str, events: Sequence[Event], *, epoch: int) -> None:
        """Write the last events and let go of the run for good."""
        await self._write(run_id, events, epoch=epoch, finish=True)

    async def park(self, run_id: str, *, epoch: int, length: int, until: datetime | None) -> bool:
        """Let go of the run until a wake-up or ``until``; return false if the journal is longer."""
        shard = self._store.keys.of(run_id)
        due = "" if until is None else int(until.timestamp() * 1000)
        keys = (shard.run(run_id), shard.due, shard.active, shard.idle)
        answer = await self._store.run("park", keys, run_id, epoch, length, due)
        if answer == -1:
            raise _stale(run_id, epoch)
        return bool(answer)

    async def wake(self, run_id: str) -> bool:
        """Make a parked run ready; return false if it is not parked."""
        shard = self._store.keys.of(run_id)
        queues = (shard.queue(lane) for lane in LANES)
        return bool(
            await self._store.run("wake", (shard.run(run_id), *queues, shard.due, shard.active), run_id)
        )

    async def interject(self, run_id: str, events: Sequence[Event], *, length: int, wake: bool) -> bool:
        """Write events from outside; return false if the journal is longer than ``length``."""
        shard = self._store.keys.of(run_id)
        queues = (shard.queue(lane) for lane in LANES)
        keys = (shard.run(run_id), *queues, shard.dirty, shard.due, shard.active)
        arguments = (run_id, length, "wake" if wake else "", facts_json(events), len(events))
        written = await self._store.run("interject", keys, *arguments, lasting=_must_last(events))
        self._store.changed.set()
        return bool(written)

    async def load(self, run_id: str) -> tuple[Event, ...]:
        """Return a journal."""
        shard = self._store.keys.of(run_id)
        fields = await self._store.hash(shard.run(run_id))
        if not fields:
            raise NotFoundError(
                f"The run {run_id} is not in my records.", hint="Finished runs are kept for a limited time."
            )
        return await self._books.facts_of(shard, fields)

    async def recent(self, *, limit: int = 50) -> tuple[str, ...]:
        """Return the ids of the latest runs, newest first."""
        found: list[tuple[str, float]] = []
        for shard in self._store.keys.all:
            pairs = await self._store.client.zrevrange(shard.index, 0, limit - 1, withscores=True)
            found += cast("list[tuple[str, float]]", pairs)
        newest = sorted(found, key=lambda pair: -pair[1])
        return tuple(run_id for run_id, _ in newest[:limit])

    async def unfinished(self, *, runbook: str) -> tuple[str, ...]:
        """Return the ids of all runs of that runbook that have not ended; reads every stored run."""
        found: list[str] = []
        for shard in self._store.keys.all:
            seen, looked_at = 0, _AT_ONCE
            while looked_at == _AT_ONCE:
                answer = await self._store.run("unfinished", (shard.index,), shard.run(""), seen, _AT_ONCE)
                looked_at, *flat = answer
                seen += looked_at
                for run_id, digest in zip(flat[::2], flat[1::2], strict=True):
                    if not digest or (await self._books.runbook(shard, digest)).name == runbook:
                        found.append(run_id)
        return tuple(dict.fromkeys(found))  # one that began meanwhile has moved another into the next part

    async def _write(self, run_id: str, events: Sequence[Event], *, epoch: int, finish: bool) -> int:
        shard = self._store.keys.of(run_id)
        keys = (shard.run(run_id), shard.dirty, shard.due, shard.active, shard.idle)
        mode = "finish" if finish else ""
        arguments = (run_id, epoch, next(self._writes), mode, self._retention_s)
        length = await self._store.run(
            "append", keys, *arguments, facts_json(events), len(events), lasting=_must_last(events)
        )
        if length < 0:
            raise _stale(run_id, epoch)
        self._store.changed.set()
        return int(length)


def _must_last(events: Sequence[Event]) -> bool:
    """Return whether something outside depends on ``events``: an effect, or a person's decision."""
    return any(isinstance(event, EffectIntended | VoteCast | CancelRequested) for event in events)


def _stale(run_id: str, epoch: int) -> StaleEpochError:
    return StaleEpochError(f"{run_id} is no longer at epoch {epoch}; another worker owns it.")
