"""Taskiq: a task that sends five others and gathers their results, over Redis streams."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from bench.engines.contender import ENDED, STEPS, Place, Start
from bench.engines.processes import spawned

if TYPE_CHECKING:
    from taskiq import AsyncBroker

_URL = "BENCH_REDIS_URL"
_POLL_S = 0.001
"""How often results are looked for; with its own default, 0.1 s, no triage could be faster than that.

The price is what many that wait at once cost."""


class TaskiqGather:
    """Taskiq, with one worker process."""

    name = "taskiq"
    package = "taskiq_redis"

    @contextlib.asynccontextmanager
    async def running(self, place: Place, *, workers: int) -> AsyncIterator[Start]:
        """Bring workers up; a triage is one task."""
        broker = made(place.redis_url)
        async with spawned(
            *("taskiq", "worker", "bench.engines.taskiq_worker:broker", "--workers", str(workers)),
            *("--log-level", "WARNING"),
            log=place.folder / "taskiq.log",
            env={_URL: place.redis_url},
        ):
            await broker.startup()
            task = broker.find_task("triage")
            assert task is not None  # noqa: S101  # it was made above

            async def start(triage_id: str) -> None:
                await task.kiq(triage_id)

            try:
                yield start
            finally:
                await broker.shutdown()


def made(redis_url: str) -> AsyncBroker:
    """Make the broker with its two tasks."""
    from taskiq import gather  # noqa: PLC0415  # only where it is installed
    from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker  # noqa: PLC0415  # as above

    broker = RedisStreamBroker(redis_url).with_result_backend(RedisAsyncResultBackend(redis_url))
    client = Redis.from_url(redis_url)

    async def look(number: int) -> dict[str, int]:
        return {"step": number, "bad": 0}

    looking = broker.task(task_name="look")(look)

    async def triage(triage_id: str) -> dict[str, int]:
        sent = [await looking.kiq(number) for number in range(STEPS)]
        results = await gather(*sent, periodicity=_POLL_S)
        await client.rpush(ENDED, triage_id)
        return max((r.return_value for r in results), key=lambda result: result["bad"])

    broker.task(task_name="triage")(triage)
    return broker


def from_environment() -> AsyncBroker:
    """Make the broker of a worker process."""
    return made(os.environ[_URL])
