"""The engine's dependencies, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.model import JsonObject, JsonValue
from bot.domain.rollouts.judging import CanaryCase
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.effect import Effect
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import ReducerName
from bot.engine.plugins import Context, Plugins
from bot.engine.stores import Stores
from bot.ports.directory import Directory
from bot.ports.gates import Gatekeeper
from bot.ports.library import Library
from bot.ports.links import Links


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


@dataclass(frozen=True, kw_only=True)
class Deps:
    """The engine's dependencies; built once by the composition root."""

    stores: Stores
    library: Library
    plugins: Plugins
    reducers: Mapping[ReducerName, Reducer]
    judge: Judge
    catalogue: Catalogue
    clock: Clock
    http: httpx.AsyncClient
    gatekeeper: Gatekeeper
    directory: Directory
    links: Links | None = None
    """None where there is no chat to point to."""
    readers_per_service: int = 8
    """How many runs may read the sources of one service at a time."""
    ranker: str = ""
    """The version of the code and weights that rank causes; recorded beside each diagnosis."""
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    """What templates may read as ``settings.<name>``."""

    def context(
        self, run_id: str, step_id: str, *, timeout_s: float, effect: Effect | None = None
    ) -> Context:
        """Return the context for a plugin."""
        return Context(
            run_id=run_id,
            step_id=step_id,
            timeout_s=timeout_s,
            clock=self.clock,
            http=self.http,
            catalogue=self.catalogue,
            stores=self.stores,
            gatekeeper=self.gatekeeper,
            plugins=self.plugins,
            effect=effect,
        )
