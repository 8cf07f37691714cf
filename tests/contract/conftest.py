"""Every port, on the memory twins, on a real Valkey, and on a cluster of three."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.alerts import RedisAlertStore
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.deployments import RedisDeploymentStore
from bot.adapters.redis.stores.feedback import RedisFeedbackStore
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.locks import RedisLocks
from bot.adapters.redis.stores.monitors import RedisMonitorStore
from bot.adapters.redis.stores.records import RedisBudget, RedisChangeLedger
from bot.adapters.redis.work import RedisWork
from bot.ports.alerts import AlertStore
from bot.ports.board import MessageBoard
from bot.ports.budget import Budget
from bot.ports.deployments import DeploymentStore
from bot.ports.feedback import FeedbackStore
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.ports.ledger import ChangeLedger
from bot.ports.locks import Locks
from bot.ports.monitors import MonitorStore
from bot.ports.work import Work
from bot.testing.alerts import MemoryAlertStore
from bot.testing.deployments import MemoryDeploymentStore
from bot.testing.feedback import MemoryFeedbackStore
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryBudget, MemoryChangeLedger, MemoryLocks, MemoryMonitorStore
from tests.support.valkeys import fleet, fresh_store, opened
from tests.support.worlds import HandClock


@dataclass
class Ports:
    """One implementation of every port."""

    journal: Journal
    work: Work
    inbox: Inbox
    board: MessageBoard
    alerts: AlertStore
    budget: Budget
    ledger: ChangeLedger
    locks: Locks
    monitors: MonitorStore
    feedback: FeedbackStore
    deployments: DeploymentStore


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with fleet() as servers:
        yield servers.cluster(3)


@pytest.fixture(params=["memory", "redis", "cluster"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        memory = MemoryStore()
        yield Ports(
            memory,
            memory,
            memory,
            memory.board,
            MemoryAlertStore(),
            MemoryBudget(),
            MemoryChangeLedger(HandClock()),
            MemoryLocks(),
            MemoryMonitorStore(),
            MemoryFeedbackStore(),
            MemoryDeploymentStore(HandClock(), board=memory.board),
        )
        return
    async with _store(request) as store:
        yield Ports(
            RedisJournal(store),
            RedisWork(store, consumer="one", lease_s=1),
            RedisInbox(store),
            RedisMessageBoard(store),
            RedisAlertStore(store),
            RedisBudget(store),
            RedisChangeLedger(store, HandClock()),
            RedisLocks(store),
            RedisMonitorStore(store),
            RedisFeedbackStore(store),
            RedisDeploymentStore(store, HandClock()),
        )


def _store(request: pytest.FixtureRequest) -> contextlib.AbstractAsyncContextManager[RedisStore]:
    """Open a fresh server, or a corner of the cluster that is this test's alone."""
    if request.param == "redis":
        return fresh_store()
    return opened(request.getfixturevalue("cluster"), prefix=secrets.token_hex(4), shards=4)
