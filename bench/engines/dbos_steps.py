"""DBOS on PostgreSQL: one workflow whose five steps are gathered in the worker.

Its queues look for work only every so often, so the worker is told over a Redis list and starts the workflow
itself: the fastest way there is.

``python -m bench.engines.dbos_steps REDIS_URL POSTGRES_URL`` is one worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from bench.engines.contender import ENDED, STEPS, Place, Start
from bench.engines.processes import spawned
from demo.scenarios.world import free_port
from demo.shop.postgres import ADMIN, Postgres

_ASKED = "bench:asked"
_CONNECTIONS = 10


class DbosSteps:
    """DBOS; its PostgreSQL does not wait for the disk, which is in its favour."""

    name = "dbos"
    package = "dbos"

    @contextlib.asynccontextmanager
    async def running(self, place: Place, *, workers: int) -> AsyncIterator[Start]:
        """Bring PostgreSQL and workers up; a triage is one workflow."""
        async with contextlib.AsyncExitStack() as stack:
            postgres = Postgres(
                folder=place.folder / "postgres", log=place.folder / "postgres.log", port=free_port()
            )
            stack.push_async_callback(postgres.stop)
            await postgres.start()
            for _ in range(workers):
                await stack.enter_async_context(
                    spawned(
                        *("bench.engines.dbos_steps", place.redis_url, postgres.dsn(ADMIN)),
                        log=place.folder / "dbos.log",
                        announces=True,
                    )
                )
            client = Redis.from_url(place.redis_url)
            stack.push_async_callback(client.aclose)

            async def start(triage_id: str) -> None:
                await client.rpush(_ASKED, triage_id)

            yield start


async def _work(redis_url: str, postgres_url: str) -> None:
    from dbos import DBOS, SetWorkflowID  # noqa: PLC0415  # only where it is installed

    client = Redis.from_url(redis_url, decode_responses=True)

    @DBOS.step()
    async def look(number: int) -> dict[str, int]:
        return {"step": number, "bad": 0}

    @DBOS.workflow()
    async def workflow(triage_id: str) -> dict[str, int]:
        results = await asyncio.gather(*(look(number) for number in range(STEPS)))
        await client.rpush(ENDED, triage_id)
        return max(results, key=lambda result: result["bad"])

    DBOS(
        config={
            "name": "bench",
            "system_database_url": postgres_url,
            "sys_db_pool_size": _CONNECTIONS,
            "run_admin_server": False,
            "log_level": "WARNING",
        }
    )
    DBOS.launch()
    print("ready", flush=True)
    while True:
        answer = await client.blpop([_ASKED], timeout=1)
        if answer is not None:
            with SetWorkflowID(answer[1]):
                await DBOS.start_workflow_async(workflow, answer[1])


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:3]))
