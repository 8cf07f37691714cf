"""Every port, on the memory twins, on a real Valkey, and on a cluster of three."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.redis.store import Store
from bot.adapters.redis.stores.alerts import RedisAlertBook
from bot.adapters.redis.stores.board import RedisBoard
from bot.adapters.redis.stores.deployments import RedisDeploymentBook
from bot.adapters.redis.stores.feedback import RedisFeedbackBook
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.locks import RedisLocks
from bot.adapters.redis.stores.monitors import RedisMonitorBook
from bot.adapters.redis.stores.records import RedisBudget, RedisLedger
from bot.adapters.redis.work import RedisWork
from bot.ports.alerts import AlertBook
from bot.ports.board import Board
from bot.ports.budget import Budget
from bot.ports.deployments import DeploymentBook
from bot.ports.feedback import FeedbackBook
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.ports.ledger import Ledger
from bot.ports.locks import Locks
from bot.ports.monitors import MonitorBook
from bot.ports.work import Work
from bot.testing.alerts import MemoryAlertBook
from bot.testing.deployments import MemoryDeploymentBook
from bot.testing.feedback import MemoryFeedbackBook
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryBudget, MemoryLedger, MemoryLocks, MemoryMonitorBook
from tests.support.valkeys import fleet, fresh_store, opened
from tests.support.worlds import HandClock


@dataclass
class Ports:
    """One implementation of every port."""

    journal: Journal
    work: Work
    inbox: Inbox
    board: Board
    alerts: AlertBook
    budget: Budget
    ledger: Ledger
    locks: Locks
    monitors: MonitorBook
    feedback: FeedbackBook
    deployments: DeploymentBook


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
            MemoryAlertBook(),
            MemoryBudget(),
            MemoryLedger(HandClock()),
            MemoryLocks(),
            MemoryMonitorBook(),
            MemoryFeedbackBook(),
            MemoryDeploymentBook(HandClock(), board=memory.board),
        )
        return
    async with _store(request) as store:
        yield Ports(
            RedisJournal(store),
            RedisWork(store, consumer="one", lease_s=1),
            RedisInbox(store),
            RedisBoard(store),
            RedisAlertBook(store),
            RedisBudget(store),
            RedisLedger(store, HandClock()),
            RedisLocks(store),
            RedisMonitorBook(store),
            RedisFeedbackBook(store),
            RedisDeploymentBook(store, HandClock()),
        )


def _store(request: pytest.FixtureRequest) -> contextlib.AbstractAsyncContextManager[Store]:
    """Open a fresh server, or a corner of the cluster that is this test's alone."""
    if request.param == "redis":
        return fresh_store()
    return opened(request.getfixturevalue("cluster"), prefix=secrets.token_hex(4), shards=4)
