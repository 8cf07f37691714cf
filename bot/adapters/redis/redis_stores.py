"""Every store, in Redis."""

from __future__ import annotations

from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.alerts import RedisAlertStore
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.checklists import RedisChecklists
from bot.adapters.redis.stores.claims import RedisRunClaims
from bot.adapters.redis.stores.deploy_locks import RedisDeployLocks
from bot.adapters.redis.stores.deployments import RedisDeploymentStore
from bot.adapters.redis.stores.feedback import RedisFeedbackStore
from bot.adapters.redis.stores.flags import RedisFlags
from bot.adapters.redis.stores.heartbeats import RedisHeartbeats
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.leases import RedisLeases
from bot.adapters.redis.stores.locks import RedisLocks
from bot.adapters.redis.stores.monitors import RedisMonitorStore
from bot.adapters.redis.stores.records import RedisBudget, RedisChangeLedger
from bot.domain.clock import Clock
from bot.engine.stores import Stores

_DAY_S = 86_400


def redis_stores(
    store: RedisStore,
    clock: Clock,
    *,
    retention_s: int = 30 * _DAY_S,
    deployment_retention_s: int = 400 * _DAY_S,
    most_waiting: int = 10_000,
) -> Stores:
    """Return all stores over one connection.

    Runs, alerts, changes, messages and checklists are kept for ``retention_s`` seconds, deployments for
    ``deployment_retention_s``.  While ``most_waiting`` messages wait, no new run is accepted.
    """
    return Stores(
        journal=RedisJournal(store, retention_s=retention_s),
        inbox=RedisInbox(store, most_waiting=most_waiting),
        board=RedisMessageBoard(store, retention_s=retention_s),
        alerts=RedisAlertStore(store, retention_s=retention_s),
        monitors=RedisMonitorStore(store),
        feedback=RedisFeedbackStore(store),
        deployments=RedisDeploymentStore(store, clock, retention_s=deployment_retention_s),
        deploy_locks=RedisDeployLocks(store),
        checklists=RedisChecklists(store, retention_s=retention_s),
        ledger=RedisChangeLedger(store, clock, retention_s=retention_s),
        locks=RedisLocks(store),
        claims=RedisRunClaims(store),
        leases=RedisLeases(store),
        heartbeats=RedisHeartbeats(store),
        flags=RedisFlags(store),
        budget=RedisBudget(store),
    )
