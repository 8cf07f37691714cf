"""All stores of the bot, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports.alerts import AlertStore
from bot.ports.board import MessageBoard
from bot.ports.budget import Budget
from bot.ports.claims import RunClaims
from bot.ports.deployments import DeploymentStore
from bot.ports.feedback import FeedbackStore
from bot.ports.flags import FlagStore
from bot.ports.gates import ChecklistStore, DeployLockStore
from bot.ports.heartbeats import Heartbeats
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.ports.leases import Leases
from bot.ports.ledger import ChangeLedger
from bot.ports.locks import Locks
from bot.ports.monitors import MonitorStore


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores, by their ports; built by ``redis_stores``, and by ``memory_stores`` for tests.

    Passed on as a whole, so that new code finds every store here.
    """

    journal: Journal
    inbox: Inbox
    board: MessageBoard
    alerts: AlertStore
    monitors: MonitorStore
    feedback: FeedbackStore
    deployments: DeploymentStore
    deploy_locks: DeployLockStore
    """Locks of services by people; ``locks`` are held by runs."""
    checklists: ChecklistStore
    ledger: ChangeLedger
    locks: Locks
    claims: RunClaims
    """Which triage a service has, and which open plan."""
    leases: Leases
    """Keep a candidate in the traffic while a worker advances its rollout."""
    heartbeats: Heartbeats
    flags: FlagStore
    budget: Budget
