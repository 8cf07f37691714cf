"""Ready runs and intents over Redis Streams, with heartbeats and takeover."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from redis.exceptions import RedisError, ResponseError

from bot.adapters.redis.keys import LANES, Shard
from bot.adapters.redis.store import Store
from bot.domain.intent import INTENT, Intent

log = logging.getLogger(__name__)

_GROUP = "workers"
_BLOCK_MS = 1000
_MOST_TRIES = 5
_REMEMBER_KEY_S = 86_400
_MOST_BURIED = 10_000

OnRun = Callable[[str], Awaitable[None]]
OnIntent = Callable[[Intent], Awaitable[None]]


class RedisInbox:
    """Where intents are written before anything is answered."""

    def __init__(self, store: Store) -> None:
        """Keep the store."""
        self._store = store

    async def put(self, intent: Intent) -> bool:
        """Write an intent down; false if its key was seen within the last day."""
        shard = self._store.keys.shared
        keys = (shard.seen(f"{intent.type}:{intent.key}"), shard.inbox)
        return bool(
            await self._store.run("put", keys, intent.model_dump_json(by_alias=True), _REMEMBER_KEY_S)
        )


class RedisWork:
    """Carries work to this worker, and takes over from workers whose heartbeat stands still.

    ``lease_s`` seconds without a beat, on this worker's own monotonic clock, mean that a worker is gone; its
    unfinished work is then handled here.  The epoch makes that safe when it was only slow.
    """

    def __init__(self, store: Store, *, consumer: str, lease_s: float, concurrency: int = 100) -> None:
        """Keep the store; ``consumer`` must be this worker's alone."""
        self._store = store
        self._consumer = consumer
        self._lease_s = lease_s
        self._slots = asyncio.Semaphore(concurrency)
        self._seen: dict[tuple[str, str], tuple[str, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def serve(self, *, on_run: OnRun, on_intent: OnIntent) -> None:
        """Hand out work until cancelled; what was begun is finished first, within a lease."""
        await self._prepare()
        handler = _Handler(on_run, on_intent)
        loops = [
            asyncio.create_task(loop(shard, handler))
            for shard in self._store.keys.all
            for loop in (self._read, self._live)
        ]
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            # redis-py can swallow a cancellation that meets an answer, so the loops also look at a flag.
            self._stopping = True
            for task in loops:
                task.cancel()
            await asyncio.wait({*loops, *self._tasks}, timeout=self._lease_s)

    async def pump(self, *, now: datetime) -> int:
        """Make every run ready whose time has come; gives how many."""
        woken = 0
        for shard in self._store.keys.all:
            keys = (shard.due, *(shard.queue(lane) for lane in LANES))
            woken += await self._store.run("pump", keys, int(now.timestamp() * 1000), 500, shard.run(""))
        return woken

    async def depth(self) -> int:
        """Tell how many messages are waiting or being handled."""
        lengths = [
            await self._store.client.xlen(s) for shard in self._store.keys.all for s in self._streams(shard)
        ]
        return sum(lengths)

    def _streams(self, shard: Shard) -> tuple[str, ...]:
        queues = tuple(shard.queue(lane) for lane in LANES)
        return (*queues, shard.inbox) if shard == self._store.keys.shared else queues

    async def _prepare(self) -> None:
        for shard in self._store.keys.all:
            for stream in self._streams(shard):
                try:
                    await self._store.client.xgroup_create(stream, _GROUP, id="0", mkstream=True)
                except ResponseError as error:
                    if "BUSYGROUP" not in str(error):
                        raise
            await self._store.client.hincrby(shard.beats, self._consumer, 1)

    async def _read(self, shard: Shard, handler: _Handler) -> None:
        """Take new messages as long as there is a free slot."""
        streams: dict[str | bytes | memoryview, int | str | bytes | memoryview] = dict.fromkeys(
            self._streams(shard), ">"
        )
        while not self._stopping:
            await self._slots.acquire()
            try:
                answer = await self._store.client.xreadgroup(
                    _GROUP, self._consumer, streams, count=1, block=_BLOCK_MS
                )
            except RedisError as error:
                await self._trouble(error)
                self._slots.release()
                continue
            self._slots.release()
            for stream, messages in _flat(answer):
                for message_id, fields in messages:
                    await self._slots.acquire()
                    self._spawn(stream, message_id, fields, handler)

    def _spawn(self, stream: str, message_id: str, fields: dict[str, str], handler: _Handler) -> None:
        task = asyncio.create_task(self._handle(stream, message_id, fields, handler))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, stream: str, message_id: str, fields: dict[str, str], handler: _Handler) -> None:
        """Handle one message until it succeeds or has failed too often; only then is it acknowledged."""
        try:
            for attempt in range(1, _MOST_TRIES + 1):
                try:
                    await handler(fields)
                    break
                except Exception:
                    log.exception(
                        "work_crashed", extra={"stream": stream, "attempt": attempt, **_ids(fields)}
                    )
                    await asyncio.sleep(min(0.2 * 2**attempt, self._lease_s))
            else:
                log.error("work_given_up", extra={"stream": stream, **_ids(fields)})
                await self._bury(stream, fields)
            async with self._store.client.pipeline(transaction=False) as pipe:
                pipe.xack(stream, _GROUP, message_id)
                pipe.xdel(stream, message_id)
                await pipe.execute()
        finally:
            self._slots.release()

    async def _bury(self, stream: str, fields: dict[str, str]) -> None:
        """Keep work that failed too often where a person can look at it: nothing is lost."""
        text = json.dumps(fields)
        await self._store.client.xadd(
            self._store.keys.shared.dead, {"from": stream, "work": text}, maxlen=_MOST_BURIED
        )

    async def _live(self, shard: Shard, handler: _Handler) -> None:
        """Beat, and take over from whoever has stopped beating."""
        while not self._stopping:
            try:
                await self._store.client.hincrby(shard.beats, self._consumer, 1)
                for dead in await self._dead(shard):
                    await self._inherit(shard, dead, handler)
            except RedisError as error:
                await self._trouble(error)
            await asyncio.sleep(self._lease_s / 4)

    async def _dead(self, shard: Shard) -> list[str]:
        beats: dict[str, str] = await self._store.hash(shard.beats)
        names = set(beats)
        for stream in self._streams(shard):
            names |= {row["name"] for row in await self._store.client.xinfo_consumers(stream, _GROUP)}
        now = time.monotonic()
        dead: list[str] = []
        for name in names - {self._consumer}:
            count = beats.get(name, "")
            known, since = self._seen.get((shard.tag, name), ("never looked", now))
            if known != count:
                self._seen[shard.tag, name] = (count, now)
            elif now - since >= self._lease_s:
                dead.append(name)
        return dead

    async def _inherit(self, shard: Shard, dead: str, handler: _Handler) -> None:
        left = False
        for stream in self._streams(shard):
            claimed = await self._store.run("inherit", (stream,), _GROUP, dead, self._consumer, 100)
            for message_id, flat in claimed:
                left = True
                fields = dict(zip(flat[::2], flat[1::2], strict=True))
                log.warning("work_taken_over", extra={"from": dead, "stream": stream, **_ids(fields)})
                await self._slots.acquire()
                self._spawn(stream, message_id, fields, handler)
        if not left:
            await self._store.client.hdel(shard.beats, dead)
            self._seen.pop((shard.tag, dead), None)

    async def _trouble(self, error: RedisError) -> None:
        log.warning("redis_trouble", extra={"error": type(error).__name__, "text": str(error)})
        if isinstance(error, ResponseError) and "NOGROUP" in str(error):
            await self._prepare()
        await asyncio.sleep(0.5)


class _Handler:
    """Tells runs from intents."""

    def __init__(self, on_run: OnRun, on_intent: OnIntent) -> None:
        self._on_run = on_run
        self._on_intent = on_intent

    async def __call__(self, fields: dict[str, str]) -> None:
        """Handle one message."""
        if "run" in fields:
            await self._on_run(fields["run"])
        else:
            await self._on_intent(INTENT.validate_json(fields["intent"]))


def _ids(fields: dict[str, str]) -> dict[str, str]:
    return {"run_id": fields["run"]} if "run" in fields else {"intent": fields.get("intent", "")[:80]}


def _flat(answer: object) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Read XREADGROUP's answer, which is a list of pairs in RESP2 and a mapping in RESP3."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [(stream, [m for batch in batches for m in batch]) for stream, batches in answer.items()]
    assert isinstance(answer, list)  # noqa: S101  # the only other shape there is
    return [(stream, messages) for stream, messages in answer]
