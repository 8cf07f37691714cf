"""Reads ready runs, intents and checks from Redis Streams, handles them, and hands them over at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from bot.adapters.redis.keys import LANES
from bot.adapters.redis.lanes import GROUP, Lane, lanes_of
from bot.adapters.redis.liveness import Liveness
from bot.adapters.redis.store import RedisStore
from bot.domain.intent import INTENT
from bot.ports.work import WorkHandlers

log = logging.getLogger(__name__)

_BLOCK_MS = 1000
_MOST_AT_ONCE = 16
_MOST_TRIES = 5
_LONGEST_PAUSE_S = 5.0
_MOST_BURIED = 10_000
_MOST_LOOKED_THROUGH = 20_000
_PUMPED_AT_ONCE = 500

Fields = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """One message that this worker handles; ``before`` counts earlier workers that did not finish it."""

    lane: Lane
    id: str
    fields: Fields
    before: int = 0


class RedisWork:
    """Brings work to this worker, and takes over from workers whose heartbeat has stopped.

    ``lease_s`` seconds without a beat, on this worker's own monotonic clock, mean that a worker is gone; its
    unfinished work is then handled here.  The epoch makes that safe if it was only slow.
    """

    def __init__(
        self,
        store: RedisStore,
        *,
        consumer: str,
        lease_s: float,
        concurrency: int = 100,
        checks: int = 200,
        drain_s: float | None = None,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        """Read from ``store`` as ``consumer``, a name that only this worker uses.

        ``concurrency`` runs of each lane and ``checks`` monitors are handled at a time.  What is under way
        when the worker is stopped gets ``drain_s`` seconds (a lease, unless given), then it is handed over.
        ``on_beat`` is called after each heartbeat.
        """
        self._store = store
        self._consumer = consumer
        self._lease_s = lease_s
        self._drain_s = lease_s if drain_s is None else drain_s
        self._on_beat = on_beat
        self._lanes = lanes_of(store.keys, runs=concurrency, checks=checks)
        self._tasks: dict[asyncio.Task[None], QueueMessage] = {}
        self._stopping = False
        self._gone = False

    async def serve(self, handlers: WorkHandlers) -> None:
        """Hand out work until cancelled; work in progress is finished within ``drain_s``, or handed over."""
        await self._prepared()
        living = [asyncio.create_task(self._live(liveness, handlers)) for liveness in self._livenesses()]
        reading = [asyncio.create_task(self._read(lane, handlers)) for lane in self._lanes]
        try:
            done, _ = await asyncio.wait({*living, *reading}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            # redis-py can swallow a cancellation that meets an answer, so the loops also look at a flag.
            self._stopping = True
            await _cancelled(reading)
            await self._drain()
            self._gone = True
            await _cancelled(living)

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; return how many."""
        woken = 0
        for shard in self._store.keys.all:
            keys = (shard.due, *(shard.queue(lane) for lane in LANES), shard.active)
            arguments = (int(now.timestamp() * 1000), _PUMPED_AT_ONCE, shard.run(""))
            woken += await self._store.run("pump", keys, *arguments)
        return woken

    async def reconcile(self) -> int:
        """Requeue every ready or running run that has no message; return how many."""
        mended = 0
        for shard in self._store.keys.all:
            keys = (shard.active, *(shard.queue(lane) for lane in LANES))
            mended += await self._store.run("reconcile", keys, shard.run(""), _MOST_LOOKED_THROUGH)
        if mended:
            log.warning("runs_queued_again", extra={"runs": mended})
        return mended

    async def depth(self) -> int:
        """Return how many messages are waiting or being handled."""
        return sum([await self._store.client.xlen(lane.stream) for lane in self._lanes])

    def _livenesses(self) -> list[Liveness]:
        return [
            Liveness(
                self._store,
                shard=shard,
                lanes=tuple(lane for lane in self._lanes if lane.shard == shard),
                consumer=self._consumer,
                lease_s=self._lease_s,
            )
            for shard in self._store.keys.all
        ]

    async def _prepared(self) -> None:
        """Wait until the store is up and takes writes; raise if the login is refused."""
        while True:
            try:
                return await self._prepare()
            except (AuthenticationError, NoPermissionError):
                raise
            except (RedisError, OSError) as error:
                await self._trouble(error)

    async def _prepare(self) -> None:
        for lane in self._lanes:
            try:
                await self._store.client.xgroup_create(lane.stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _read(self, lane: Lane, handlers: WorkHandlers) -> None:
        """Take new messages as long as there is a free slot."""
        while not self._stopping:
            count = min(await lane.slots.some(), _MOST_AT_ONCE)
            try:
                answer = await self._store.client.xreadgroup(
                    GROUP, self._consumer, {lane.stream: ">"}, count=count, block=_BLOCK_MS
                )
            except (RedisError, OSError) as error:
                await self._trouble(error)
                continue
            for message_id, fields in _flat(answer):
                self._begin(QueueMessage(lane=lane, id=message_id, fields=fields), handlers)

    async def _live(self, liveness: Liveness, handlers: WorkHandlers) -> None:
        """Beat, and take over from workers that have stopped beating."""
        while not self._gone:
            try:
                await liveness.beat()
                if self._on_beat is not None:
                    self._on_beat()
                handled = {delivery.id for delivery in self._tasks.values()}
                for lane, message_id, fields, before in await liveness.left_behind(handled):
                    self._begin(
                        QueueMessage(lane=lane, id=message_id, fields=fields, before=before), handlers
                    )
            except (RedisError, OSError) as error:
                await self._trouble(error)
            await asyncio.sleep(self._lease_s / 5)

    def _begin(self, delivery: QueueMessage, handlers: WorkHandlers) -> None:
        delivery.lane.slots.take()
        task = asyncio.create_task(self._handle(delivery, handlers))
        self._tasks[task] = delivery
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task).lane.slots.give_back()

    async def _handle(self, delivery: QueueMessage, handlers: WorkHandlers) -> None:
        """Handle one message until it succeeds or has failed too often; only then is it acknowledged.

        While the store is out of reach it waits, however long that takes: the work itself has not failed.
        """
        failures, pauses = delivery.before, 0
        while True:
            try:
                if failures >= _MOST_TRIES:
                    await self._give_up(delivery, handlers)
                else:
                    await _call(handlers, delivery.fields)
                await self._store.run("ack", (delivery.lane.stream,), GROUP, delivery.id)
            except (RedisError, OSError) as error:
                log.warning("work_waits_for_store", extra={"error": str(error), **_ids(delivery.fields)})
            except Exception:
                failures += 1
                log.exception("work_crashed", extra={"failures": failures, **_ids(delivery.fields)})
            else:
                return
            pauses += 1
            await asyncio.sleep(min(0.1 * 2**pauses, self._lease_s, _LONGEST_PAUSE_S))

    async def _give_up(self, delivery: QueueMessage, handlers: WorkHandlers) -> None:
        """End a run that always fails, so that people see it; set other work aside for a person."""
        log.error("work_given_up", extra={"stream": delivery.lane.stream, **_ids(delivery.fields)})
        run_id = delivery.fields.get("run", "")
        if run_id:
            try:
                await handlers.give_up(run_id, f"it failed {_MOST_TRIES} times in a row")
            except Exception:
                log.exception("work_not_ended", extra=_ids(delivery.fields))
        keys = (delivery.lane.shard.dead, delivery.lane.shard.active)
        text = json.dumps(delivery.fields)
        await self._store.run("bury", keys, delivery.lane.stream, text, run_id, _MOST_BURIED)

    async def _drain(self) -> None:
        """Wait some time for work in progress, then hand the rest over to the next reader."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=self._drain_s)
        left = dict(self._tasks)
        await _cancelled(list(left))
        with contextlib.suppress(RedisError, OSError):  # they are then taken over after the lease
            for delivery in left.values():
                flat = [part for pair in delivery.fields.items() for part in pair]
                await self._store.run("requeue", (delivery.lane.stream,), GROUP, delivery.id, *flat)
            for liveness in self._livenesses():
                await liveness.leave()
        if left:
            log.info("work_handed_over", extra={"messages": len(left)})

    async def _trouble(self, error: Exception) -> None:
        log.warning("redis_trouble", extra={"error": type(error).__name__, "text": str(error)})
        if isinstance(error, ResponseError) and "NOGROUP" in str(error):
            with contextlib.suppress(RedisError, OSError):
                await self._prepare()
        await asyncio.sleep(min(0.5, self._lease_s / 5))


async def _call(handlers: WorkHandlers, fields: Fields) -> None:
    """Call the handler of a message's kind."""
    if "run" in fields:
        await handlers.run(fields["run"])
    elif "check" in fields:
        await handlers.check(fields["check"], float(fields["slot"]))
    else:
        await handlers.intent(INTENT.validate_json(fields["intent"]))


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ids(fields: Fields) -> Fields:
    if "intent" in fields:
        return {"intent": fields["intent"][:80]}
    return {"run_id": fields["run"]} if "run" in fields else {"check": fields.get("check", "")}


def _flat(answer: object) -> list[tuple[str, Fields]]:
    """Return XREADGROUP's answer for one stream: a list of pairs in RESP2 and a mapping in RESP3."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [message for batches in answer.values() for batch in batches for message in batch]
    assert isinstance(answer, list)  # noqa: S101  # the only other shape there is
    return [message for _, messages in answer for message in messages]
