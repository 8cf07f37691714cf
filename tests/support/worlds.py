"""A runbook, plugins and people small enough to reason about, for tests of the engine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from bot.canary.judge import judge_case
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.diagnoses.finding import Facts, Measurement
from bot.domain.errors import ActionFailedError, IdentityUnknownError, ProbeUnavailableError
from bot.domain.intent import Notice
from bot.domain.model import JsonValue
from bot.domain.people import GroupMembers, Person, Profile, Standing
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.event import Origin, RunStarted
from bot.domain.runs.runbook import ReducerName, Runbook
from bot.engine.deps import Deps, Judge, Reducer
from bot.engine.plugins import Context, Plugins, action, plugins_in, probe
from bot.engine.stores import Stores
from bot.ports.directory import Directory
from bot.ports.library import Library
from bot.ports.links import Links
from bot.reducers import REDUCERS
from bot.testing.stores import gatekeeper_of

ANA = Person(id="U0ANA00001", name="Ana")
BEN = Person(id="U0BEN00001", name="Ben")
CHI = Person(id="U0CHI00001", name="Chika")
START = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)


class HandClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class People:
    """A directory: who is a member, and of which groups."""

    groups: dict[str, set[str]] = field(default_factory=lambda: {"oncall": {ANA.id, BEN.id, CHI.id}})
    outsiders: set[str] = field(default_factory=set)
    standings: dict[str, Standing] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, str] = field(default_factory=lambda: {"oncall": "S0ONCALL01"})
    away: int = 0
    """How often it cannot be asked."""

    async def profile(self, user_id: str) -> Profile:
        if self.away:
            self.away -= 1
            raise IdentityUnknownError("The directory cannot be asked.")
        standing = "guest" if user_id in self.outsiders else self.standings.get(user_id, "member")
        return Profile(id=user_id, name=user_id, standing=standing, email=self.emails.get(user_id, ""))

    async def groups_of(self, user_id: str, *, among: Sequence[str], fresh: bool = False) -> frozenset[str]:
        del fresh  # it never remembers
        return frozenset(name for name in among if user_id in self.groups.get(name, set()))

    async def members_of(self, group: str) -> GroupMembers:
        if self.away:
            self.away -= 1
            raise IdentityUnknownError("The directory cannot be asked.")
        return GroupMembers(mention=self.mentions.get(group, ""), members=frozenset(self.groups[group]))


@dataclass
class Told:
    """Keeps what people were told."""

    notices: list[Notice] = field(default_factory=list)

    async def notify(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass
class Bench:
    """What the test plugins read and change: the world outside."""

    value: float = 0.0
    effects: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    """Every value that a probe has read."""
    down: set[str] = field(default_factory=set)
    hang: asyncio.Event = field(default_factory=asyncio.Event)


BENCH = Bench()
"""The one world of the test plugins; a fixture renews it."""


def renew() -> Bench:
    """Give the plugins a fresh world."""
    BENCH.value = 0.0
    BENCH.effects.clear()
    BENCH.calls.clear()
    BENCH.measured.clear()
    BENCH.down.clear()
    BENCH.hang = asyncio.Event()
    return BENCH


async def is_done(ctx: Context, *, name: str) -> ActionResult | None:
    assert ctx.effect is not None
    return ActionResult(summary=f"{name} was done") if f"{name}:{ctx.effect.key}" in BENCH.effects else None


@action(specialist="test", look=is_done)
async def act(ctx: Context, *, name: str) -> ActionResult:
    """Do something once."""
    assert ctx.effect is not None
    BENCH.calls.append(name)
    if name in BENCH.down:
        raise ActionFailedError(f"{name} was refused.", hint="Ask its owner.")
    BENCH.effects.append(f"{name}:{ctx.effect.key}")
    return ActionResult(summary=f"did {name}", before={"name": name})


@probe(specialist="test")
async def read(ctx: Context, *, name: str) -> Facts:
    """Read something; ``hangs`` hangs."""
    BENCH.calls.append(name)
    if name in BENCH.down:
        raise ProbeUnavailableError(f"{name} does not answer.")
    if name == "hangs":
        await BENCH.hang.wait()
    return Facts(summary=f"read {name}", data={"name": name})


@probe(specialist="test")
async def measure(ctx: Context) -> Measurement:
    """Measure the world's one number."""
    if "value" in BENCH.down:
        raise ProbeUnavailableError("no data")
    BENCH.measured.append(BENCH.value)
    return Measurement(value=BENCH.value, unit="errors", at=ctx.clock.now())


def world_plugins() -> Plugins:
    """The plugins of this module, as ``worlds.read``, ``worlds.measure`` and ``worlds.act``."""
    return Plugins({plugin.name: plugin for plugin in plugins_in(sys.modules[__name__])})


def deps_over(
    stores: Stores,
    *,
    http: httpx.AsyncClient,
    library: Library,
    catalogue: Catalogue,
    clock: Clock,
    plugins: Plugins | None = None,
    reducers: Mapping[ReducerName, Reducer] = REDUCERS,
    judge: Judge = judge_case,
    settings: Mapping[str, JsonValue] | None = None,
    directory: Directory | None = None,
    links: Links | None = None,
) -> Deps:
    """The engine's surroundings over these stores; what is not given is as in production."""
    return Deps(
        stores=stores,
        library=library,
        plugins=world_plugins() if plugins is None else plugins,
        reducers=reducers,
        judge=judge,
        catalogue=catalogue,
        clock=clock,
        http=http,
        gatekeeper=gatekeeper_of(stores),
        directory=People() if directory is None else directory,
        links=links,
        settings=settings or {},
    )


def started(runbook: Runbook, *, at: datetime = START, **params: str) -> RunStarted:
    """The first event of a run that Ana asked for."""
    return RunStarted(
        at=at,
        runbook=runbook,
        params={"service": "checkout", **params},
        requested_by=ANA,
        origin=Origin(kind="command", channel="C0CHECKOUT"),
    )
