"""Every store in memory, and a plugin's context over them: what tests and benchmarks are built on."""

from __future__ import annotations

import httpx

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock, SystemClock
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context, Plugins
from bot.engine.stores import Stores
from bot.ports.gates import Gatekeeper
from bot.services.gate_state import StateGatekeeper
from bot.testing.alerts import MemoryAlertStore
from bot.testing.deployments import MemoryDeploymentStore
from bot.testing.feedback import MemoryFeedbackStore
from bot.testing.gates import MemoryChecklists, MemoryDeployLocks
from bot.testing.memory import MemoryStore
from bot.testing.records import (
    MemoryBudget,
    MemoryChangeLedger,
    MemoryFlags,
    MemoryHeartbeats,
    MemoryLeases,
    MemoryLocks,
    MemoryMonitorStore,
    MemoryRunClaims,
)


def memory_stores(clock: Clock | None = None, *, store: MemoryStore | None = None) -> Stores:
    """Return the memory twins of all stores, empty.

    ``store`` keeps journals, inbox and board; give one to serve what is put there.  To give another twin, use
    ``dataclasses.replace``.
    """
    clock, store = clock or SystemClock(), store or MemoryStore()
    return Stores(
        journal=store,
        inbox=store,
        board=store.board,
        alerts=MemoryAlertStore(clock),
        monitors=MemoryMonitorStore(),
        feedback=MemoryFeedbackStore(),
        deployments=MemoryDeploymentStore(clock, board=store.board),
        deploy_locks=MemoryDeployLocks(clock, board=store.board),
        checklists=MemoryChecklists(clock),
        ledger=MemoryChangeLedger(clock),
        locks=MemoryLocks(),
        claims=MemoryRunClaims(clock),
        leases=MemoryLeases(),
        heartbeats=MemoryHeartbeats(),
        flags=MemoryFlags(),
        budget=MemoryBudget(),
    )


def gatekeeper_of(stores: Stores) -> Gatekeeper:
    """Return what the gates read of these stores."""
    return StateGatekeeper(
        locks=stores.deploy_locks,
        checklists=stores.checklists,
        alerts=stores.alerts,
        journal=stores.journal,
    )


def memory_context(
    *,
    catalogue: Catalogue,
    http: httpx.AsyncClient,
    clock: Clock | None = None,
    stores: Stores | None = None,
    plugins: Plugins | None = None,
    effect: Effect | None = None,
    run_id: str = "run1",
    timeout_s: float = 5.0,
) -> Context:
    """Return what a plugin is handed, over stores in memory; ``effect`` is for actions."""
    clock = clock or SystemClock()
    stores = stores or memory_stores(clock)
    return Context(
        run_id=run_id,
        step_id="step1",
        timeout_s=timeout_s,
        clock=clock,
        http=http,
        catalogue=catalogue,
        stores=stores,
        gatekeeper=gatekeeper_of(stores),
        plugins=plugins or Plugins(),
        effect=effect,
    )
