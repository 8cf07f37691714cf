"""Everything the engine was given, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.errors import RunbookError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.rollouts.judging import CanaryCase
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.effect import Effect
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import ReducerName
from bot.engine.plugins import Context, Plugins
from bot.ports.alerts import AlertHistory, NoAlertHistory
from bot.ports.deployments import DeploymentStore, NoDeployments
from bot.ports.flags import FlagStore, NoFlags
from bot.ports.gates import Gatekeeper, NoGatekeeper
from bot.ports.heartbeats import JobHistory, NoJobHistory
from bot.ports.journal import Journal
from bot.ports.leases import Leases
from bot.ports.ledger import ChangeLedger
from bot.ports.library import Library
from bot.ports.locks import Locks
from bot.ports.targets import NoLeases


@dataclass(frozen=True, kw_only=True)
class ReduceInput:
    """What a reducer sees: the run so far and the phases it folds."""

    run: Run
    phases: tuple[PhaseState, ...]
    arguments: JsonObject
    catalogue: Catalogue
    now: datetime


Reducer = Callable[[ReduceInput], Diagnosis | ReducerResult]
Judge = Callable[[CanaryCase], CanaryVerdict]


def _no_judge(_case: CanaryCase) -> CanaryVerdict:
    raise RunbookError("This installation judges no canaries.")


@dataclass(frozen=True, kw_only=True)
class Deps:
    """The engine's surroundings; built once by the composition root."""

    journal: Journal
    library: Library
    plugins: Plugins
    reducers: Mapping[ReducerName, Reducer]
    catalogue: Catalogue
    clock: Clock
    http: httpx.AsyncClient
    ledger: ChangeLedger
    locks: Locks
    judge: Judge = field(default=_no_judge)
    readers_per_service: int = 8
    """How many runs may read the sources of one service at a time."""
    ranker: str = ""
    """Which version of the code and of its weights ranks causes; it is written down beside what it says."""
    pulses: JobHistory = field(default_factory=NoJobHistory)
    alarms: AlertHistory = field(default_factory=NoAlertHistory)
    flags: FlagStore = field(default_factory=NoFlags)
    leases: Leases = field(default_factory=NoLeases)
    """What keeps a candidate in the traffic while a worker carries its rollout."""
    gatekeeper: Gatekeeper = field(default_factory=NoGatekeeper)
    deployments: DeploymentStore = field(default_factory=NoDeployments)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    """What templates may read as ``settings.<name>``."""

    def context(
        self, run_id: str, step_id: str, *, timeout_s: float, effect: Effect | None = None
    ) -> Context:
        """Make what a plugin is handed."""
        return Context(
            run_id=run_id,
            step_id=step_id,
            timeout_s=timeout_s,
            clock=self.clock,
            http=self.http,
            catalogue=self.catalogue,
            ledger=self.ledger,
            pulses=self.pulses,
            alarms=self.alarms,
            flags=self.flags,
            gatekeeper=self.gatekeeper,
            plugins=self.plugins,
            effect=effect,
        )
