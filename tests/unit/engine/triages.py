"""Triages by the engine and the real ranker, of sources that bring whatever a test puts there."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Sequence

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.finding import Finding, Findings
from bot.domain.errors import ProbeUnavailableError
from bot.engine.engine import Engine
from bot.engine.plugins import Context, Plugins, plugins_in, probe
from bot.reducers import REDUCERS
from tests.unit.diagnosis.stories import NOW, SHOP, SOURCES
from tests.unit.engine.small_world import World, book

FOUND: list[Finding] = []
AWAY: set[str] = set()
GATES: dict[str, asyncio.Event] = {}
"""A source with a gate answers once it is opened."""

TRIAGE = book(
    {
        "kind": "fan_out",
        "id": "evidence",
        "steps": [{"id": name, "probe": "triages.bring", "with": {"source": name}} for name in SOURCES],
    },
    {
        "kind": "reduce",
        "id": "diagnosis",
        "reducer": "rank_causes",
        "over": ["evidence"],
        "with": {"since_s": "{{ params.since }}"},
    },
)


@probe(specialist="test")
async def bring(ctx: Context, *, source: str) -> Findings:
    """Bring what the test has put there for a source."""
    if source in GATES:
        await GATES[source].wait()
    if source in AWAY:
        raise ProbeUnavailableError(f"{source} does not answer.")
    return Findings(items=tuple(f for f in FOUND if f.source == source), looked_at=source)


def ranking(world: World, *, catalogue: Catalogue = SHOP, ranker: str = "r1") -> World:
    """Give a world the real ranker, these sources and a catalogue."""
    plugins = Plugins({plugin.name: plugin for plugin in plugins_in(sys.modules[__name__])})
    world.deps = dataclasses.replace(
        world.deps, plugins=plugins, reducers=REDUCERS, catalogue=catalogue, ranker=ranker
    )
    world.engine = Engine(world.deps)
    world.clock.at = NOW
    return world


async def triaged(world: World, found: Sequence[Finding], *, run_id: str = "r1", away: Sequence[str] = ()):
    """Let the engine triage `web` and give the journal."""
    FOUND[:] = found
    AWAY.clear()
    AWAY.update(away)
    await world.begin(TRIAGE, run_id=run_id, service="web", since=1800)
    return await world.store.load(run_id)
