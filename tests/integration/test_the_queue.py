"""Two hundred people queue for one service of a real Valkey, and whoever carries the first is killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.locks import RedisLocks
from bot.domain.clock import SystemClock
from bot.domain.people import Person
from bot.engine.service_lock import change_place
from bot.ports.locks import LockQueue
from tests.integration.queueing import CHANGE, HUNG, RAN, at_work
from tests.support.valkeys import fresh_valkey, opened
from tests.support.waiting import until
from tests.support.worlds import started

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
PEOPLE = [f"r{number:03}" for number in range(200)]


async def ask(store, run_id: str) -> None:
    by = Person(id=f"U{run_id}")
    event = started(CHANGE, at=SystemClock().now()).model_copy(update={"requested_by": by})
    assert await RedisJournal(store).start(run_id, event)


async def the_line(store) -> LockQueue:
    (line,) = await RedisLocks(store).lines((change_place("checkout"),))
    return line


async def test_two_hundred_have_their_turn_in_the_order_of_asking_though_the_first_ones_worker_is_killed():
    async with fresh_valkey() as url, opened(url) as store:
        doomed = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.queueing", url, cwd=ROOT
        )
        try:
            await ask(store, PEOPLE[0])

            async def hangs() -> bool:
                return await store.client.get(HUNG) == PEOPLE[0]

            await until(hangs, what="the first has its turn")
            for number, run_id in enumerate(PEOPLE[1:], start=1):
                await ask(store, run_id)

                async def waits(so_many: int = number) -> bool:
                    return len((await the_line(store)).waiting) == so_many

                await until(waits, what=f"{run_id} is in line")
        finally:
            doomed.send_signal(signal.SIGKILL)
            await doomed.wait()
        assert await the_line(store) == LockQueue(held=(PEOPLE[0],), waiting=tuple(PEOPLE[1:]))
        assert await store.client.llen(RAN) == 0

        async def all_had_it() -> bool:
            return await store.client.llen(RAN) >= len(PEOPLE) and await the_line(store) == LockQueue()

        async with at_work(store, name="heir"):
            await until(all_had_it, what="everybody has had a turn, and no place is held any more")
        assert await store.client.lrange(RAN, 0, -1) == PEOPLE
