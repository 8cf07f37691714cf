"""Celery: a chord of five tasks and a callback, prefork, Redis as broker and back end, acknowledged late."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from redis import Redis

from bench.engines.contender import ENDED, STEPS, Place, Start
from bench.engines.processes import spawned

if TYPE_CHECKING:
    from celery import Celery

_URL = "BENCH_REDIS_URL"
_CHILDREN = 2


class CeleryChord:
    """Celery, with one worker of two child processes, one a core."""

    name = "celery"
    package = "celery"

    @contextlib.asynccontextmanager
    async def running(self, place: Place, *, workers: int) -> AsyncIterator[Start]:
        """Bring workers up; a triage is one chord, sent from a thread because Celery blocks."""
        from celery import chord, group  # noqa: PLC0415  # only where it is installed

        app = made(place.redis_url)
        async with contextlib.AsyncExitStack() as stack:
            for number in range(workers):
                await stack.enter_async_context(
                    spawned(
                        *("celery", "-A", "bench.engines.celery_worker", "worker", "--pool", "prefork"),
                        *("--concurrency", str(_CHILDREN), "--loglevel", "WARNING"),
                        *("--hostname", f"bench{number}@localhost"),
                        log=place.folder / "celery.log",
                        env={_URL: place.redis_url},
                    )
                )

            def send(triage_id: str) -> None:
                steps = group(app.signature("look", args=(number,)) for number in range(STEPS))
                chord(steps)(app.signature("fold", args=(triage_id,)))

            async def start(triage_id: str) -> None:
                await asyncio.to_thread(send, triage_id)

            try:
                yield start
            finally:
                await asyncio.to_thread(app.close)


def made(redis_url: str) -> Celery:
    """Make the application with its two tasks."""
    from celery import Celery  # noqa: PLC0415  # only where it is installed

    app = Celery("bench", broker=redis_url, backend=redis_url)
    app.conf.update(task_acks_late=True, worker_hijack_root_logger=False)
    client = Redis.from_url(redis_url)

    def look(number: int) -> dict[str, int]:
        return {"step": number, "bad": 0}

    def fold(results: list[dict[str, int]], triage_id: str) -> dict[str, Any]:
        client.rpush(ENDED, triage_id)
        return max(results, key=lambda result: result["bad"])

    app.task(name="look", shared=False)(look)
    app.task(name="fold", shared=False)(fold)
    return app


def from_environment() -> Celery:
    """Make the application of a worker process."""
    return made(os.environ[_URL])
