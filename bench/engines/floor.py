"""The floor: what asyncio, redis-py and four small scripts need for the same promises, and nothing else.

A run is a stream message; whoever reads it raises the epoch.  Five intents are written with that, five
results by five fenced scripts in one pipeline, the reduced result with the end: three round trips.
Nothing is parsed, rendered, checked or shown.  ``python -m bench.engines.floor URL`` is one worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bench.engines.contender import ENDED, STEPS, Place, Start
from bench.engines.processes import bring_up

_QUEUE, _GROUP, _RUN = "{floor}:q", "workers", "{floor}:run:"
_AT_ONCE = 16
_CONCURRENCY = 100
_KEPT_S = 86_400

_START = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'st', 'ready', 'ep', 0)
redis.call('XADD', KEYS[2], '*', 'run', ARGV[1])
return 1
"""
_BEGIN = """
local st = redis.call('HGET', KEYS[1], 'st')
if not st or st == 'finished' then return nil end
local epoch = redis.call('HINCRBY', KEYS[1], 'ep', 1)
redis.call('HSET', KEYS[1], 'st', 'running')
for i = 1, tonumber(ARGV[1]) do redis.call('HSETNX', KEYS[1], 'i:' .. i, epoch) end
return {epoch, redis.call('HGETALL', KEYS[1])}
"""
_STEP = """
if redis.call('HGET', KEYS[1], 'ep') ~= ARGV[1] then return -1 end
return redis.call('HSETNX', KEYS[1], 'r:' .. ARGV[2], ARGV[3])
"""
_FINISH = """
if redis.call('HGET', KEYS[1], 'ep') ~= ARGV[1] then return -1 end
redis.call('HSET', KEYS[1], 'st', 'finished', 'r', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('XACK', KEYS[2], ARGV[4], ARGV[5])
return redis.call('XDEL', KEYS[2], ARGV[5])
"""


class Floor:
    """The least that gives the same durability and fencing."""

    name = "floor"
    package = "redis"

    @contextlib.asynccontextmanager
    async def running(self, place: Place, *, workers: int) -> AsyncIterator[Start]:
        """Bring workers up; a triage is started by one script."""
        async with contextlib.AsyncExitStack() as stack:
            await bring_up(stack, "bench.engines.floor", place, workers=workers)
            client = Redis.from_url(place.redis_url, decode_responses=True)
            stack.push_async_callback(client.aclose)
            digest = await client.script_load(_START)

            async def start(triage_id: str) -> None:
                await client.evalsha(digest, 2, _RUN + triage_id, _QUEUE, triage_id)

            yield start


class _Worker:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._begin = self._step = self._finish = ""

    async def prepare(self) -> None:
        self._begin, self._step, self._finish = [
            await self._client.script_load(text) for text in (_BEGIN, _STEP, _FINISH)
        ]
        with contextlib.suppress(ResponseError):  # another worker was first
            await self._client.xgroup_create(_QUEUE, _GROUP, id="0", mkstream=True)

    async def serve(self) -> None:
        name, under_way = str(os.getpid()), set[asyncio.Task[None]]()
        while True:
            while len(under_way) >= _CONCURRENCY:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            answer = await self._client.xreadgroup(_GROUP, name, {_QUEUE: ">"}, count=_AT_ONCE, block=1000)
            batches = answer.values() if isinstance(answer, dict) else [[m for _, m in answer]]
            for message_id, fields in (message for batch in batches for part in batch for message in part):
                task = asyncio.create_task(self._run(fields["run"], message_id))
                under_way.add(task)
                task.add_done_callback(under_way.discard)

    async def _run(self, run_id: str, message_id: str) -> None:
        key = _RUN + run_id
        taken = await self._client.evalsha(self._begin, 1, key, STEPS)
        if taken is None:
            return
        epoch = taken[0]
        results = await asyncio.gather(*(_nothing(number) for number in range(1, STEPS + 1)))
        async with self._client.pipeline(transaction=False) as pipe:
            for number, result in enumerate(results, 1):
                pipe.evalsha(self._step, 1, key, epoch, number, json.dumps(result))
            await pipe.execute()
        worst = max(results, key=lambda result: result["bad"])
        await self._client.evalsha(
            *(self._finish, 2, key, _QUEUE),
            *(epoch, json.dumps(worst), _KEPT_S, _GROUP, message_id),
        )
        await self._client.rpush(ENDED, run_id)


async def _nothing(number: int) -> dict[str, int]:
    return {"step": number, "bad": 0}


async def _work(redis_url: str) -> None:
    client = Redis.from_url(redis_url, decode_responses=True)
    worker = _Worker(client)
    await worker.prepare()
    print("ready", flush=True)
    await worker.serve()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
