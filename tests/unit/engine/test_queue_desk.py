"""People are told who deploys now, who waits behind whom, and when each is likely to begin."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.queueing import stay_s
from bot.engine.engine import Engine
from bot.services.queue_commands import QueueCommands
from bot.views.queue import queue_text
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, BENCH, CHI
from tests.unit.engine.small_world import UNDO, act, book, fix, step


def canary(*, gated: bool = False):
    """A deployment whose change is approved first; ``gated``: and that asks once more in the middle."""
    steps = [act("a", undo=UNDO), *([act("b", no_undo="none", approval={})] if gated else [])]
    return book(fix(*steps), name="deploy-canary").but(
        params={**book(fix(act("a"))).params, "version": {"type": "string"}}
    )


class Line:
    """A service that people deploy, and a desk to ask about it."""

    def __init__(self, world) -> None:
        services = [{"name": "checkout", "approvers": ["oncall"]}, {"name": "payments"}]
        self.deps = replace(world.deps, catalogue=Catalogue.model_validate({"services": services}))
        self.desk = QueueCommands(self.deps.stores, world.clock)
        world.engine = Engine(self.deps)
        self.world, self.votes = world, 0

    async def deploy(self, run_id: str, version: str, *, lasts_s: float | None = None) -> None:
        """Ask for a deployment and let it go as far as it can; with ``lasts_s`` to its end, after so long."""
        run = await self.world.begin(canary(gated=True), run_id, version=version)
        await self.approve(run_id)
        if lasts_s is not None:
            self.world.clock.forward(lasts_s)
            await self.approve(run_id, by=CHI)
            assert (await self.world.read(run.id)).outcome is not None

    async def approve(self, run_id: str, *, by=BEN) -> None:
        self.votes += 1
        self.world.clock.forward(100)  # nobody's turn: it waits for an approval
        await self.world.vote(await self.world.read(run_id), by, key=f"k{self.votes}")
        await self.world.go(run_id)

    async def told(self, service: str = "checkout") -> list[str]:
        services = (service,) if service else self.deps.catalogue.names
        queues = await self.desk.queues(services)
        return queue_text(queues, service=service).splitlines()


@pytest.fixture
def line(world):
    return Line(world)


async def test_an_empty_line_is_told_as_such(line):
    assert await line.told() == ["Nothing is deploying or queued for `checkout`."]
    assert await line.told("") == ["Nothing is deploying or queued."]
    await line.deploy("r1", "1", lasts_s=10)
    assert await line.told() == ["Nothing is deploying or queued for `checkout`."]


async def test_who_has_the_turn_and_who_waits_are_told_in_order_and_without_history_no_time(line):
    await line.deploy("r1", "<1>")
    await line.deploy("r2", "2")
    await line.deploy("r3", "3")
    assert await line.told("") == [
        "*`checkout`*",
        f"▶️ <@{ANA.id}>: canary &lt;1&gt;, running for 3 min; waiting for a decision.",
        f"1. <@{ANA.id}>: canary 2; start time unknown.",
        f"2. <@{ANA.id}>: canary 3; start time unknown.",
    ]
    assert await line.told("payments") == ["Nothing is deploying or queued for `payments`."]


async def test_a_turn_lasts_from_the_approval_to_the_end_of_the_change_without_the_wait_before_it(line):
    await line.deploy("r1", "1", lasts_s=500)
    events = await line.world.store.load("r1")
    assert stay_s(await line.world.read("r1"), events) == 600  # 500, and until the second approval
    await line.deploy("r2", "2")
    await line.deploy("r3", "3")
    line.world.clock.forward(1000)
    await line.approve("r2", by=CHI)
    await line.world.go("r3")  # its turn has come, and it asks in the middle
    line.world.clock.forward(50)
    await line.approve("r3", by=CHI)
    assert stay_s(await line.world.read("r3"), await line.world.store.load("r3")) == 150


async def test_who_waits_is_told_when_its_turn_is_likely_to_come_from_deployments_like_it(line):
    for number, lasts_s in enumerate((100, 500, 800)):  # their turns last 200, 600 and 900 s
        await line.deploy(f"h{number}", "0", lasts_s=lasts_s)
    hangs = canary().but(phases=book(fix(step("hangs", timeout_s=60), approval=None)).phases)
    first = asyncio.create_task(line.world.begin(hangs, "r1", version="1"))

    async def begun():
        return "r1" in await line.world.store.recent() and (await line.world.store.load("r1"))[1:]

    await until(begun, what="the first facts of a run")
    for run_id, version in (("r2", "2"), ("r3", "3")):
        await line.world.begin(hangs, run_id, version=version)
    line.world.clock.forward(250)
    assert await line.told() == [
        "*`checkout`*",
        f"▶️ <@{ANA.id}>: canary 1, running for 4 min.",
        f"1. <@{ANA.id}>: canary 2; starts in about 8 min.",  # (600 + 900) / 2 - 250
        f"2. <@{ANA.id}>: canary 3; starts in about 18 min.",  # and 600
    ]
    BENCH.hang.set()
    await first
    assert (await line.told())[1] == f"▶️ <@{ANA.id}>: canary 2."  # handed on, and not taken up yet


async def test_of_a_long_line_the_first_are_told_and_the_rest_counted(line):
    for number in range(23):
        await line.deploy(f"r{number:02}", str(number))
    told = await line.told()
    assert len(told) == 22
    assert told[-1] == "… and 3 more behind them."
