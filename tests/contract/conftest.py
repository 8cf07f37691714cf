"""Every port, on the memory twins, on a real Valkey, and on a cluster of three."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import pytest

from bot.adapters.redis.redis_stores import redis_stores
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.work import RedisWork
from bot.engine.stores import Stores
from bot.ports.work import Work
from bot.testing.alerts import MemoryAlertStore
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.valkeys import fleet, fresh_store, opened
from tests.support.worlds import HandClock


@dataclass(frozen=True, kw_only=True)
class Ports(Stores):
    """One implementation of every port."""

    work: Work


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with fleet() as servers:
        yield servers.cluster(3)


@pytest.fixture(params=["memory", "redis", "cluster"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        memory = MemoryStore()
        # Silences end by real time, as in Redis; what is recent is counted from the test's moment.
        stores = replace(memory_stores(HandClock(), store=memory), alerts=MemoryAlertStore())
        yield Ports(work=memory, **vars(stores))
        return
    async with _store(request) as store:
        work = RedisWork(store, consumer="one", lease_s=1)
        yield Ports(work=work, **vars(redis_stores(store, HandClock())))


def _store(request: pytest.FixtureRequest) -> contextlib.AbstractAsyncContextManager[RedisStore]:
    """Open a fresh server, or a corner of the cluster that is this test's alone."""
    if request.param == "redis":
        return fresh_store()
    return opened(request.getfixturevalue("cluster"), prefix=secrets.token_hex(4), shards=4)
