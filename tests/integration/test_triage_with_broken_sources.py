"""Sources that are down, hang or talk nonsense: the diagnosis comes all the same, names them, and is less sure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.adapters.files.catalogue_file import load_catalogue
from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue
from bot.domain.clock import SystemClock
from bot.domain.runs.event import Origin, RunStarted
from bot.domain.runs.run import Run, fold
from bot.engine.engine import Engine
from bot.loader.loader import load_runbooks
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.demo.open_shop import ROOT, start_shop, stop_shop
from tests.support.patience import patient_runbooks
from tests.support.waiting import until
from tests.support.worlds import ANA, deps_over

pytestmark = [pytest.mark.demo, pytest.mark.server, pytest.mark.timeout(400)]

DOWN = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    process, told = start_shop(tmp_path_factory.mktemp("shop"))
    try:
        yield told
    finally:
        assert stop_shop(process) == 0


@dataclass
class Liar:
    """A server that hangs under ``/hangs`` and talks nonsense under ``/garbage``."""

    url: str


@pytest.fixture(scope="module")
def runbooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = patient_runbooks(tmp_path_factory.mktemp("patient"), times=4)
    file = copied / "incident" / "triage.yaml"
    text = file.read_text(encoding="utf-8")
    assert "look_again_s: 60" in text
    file.write_text(text.replace("look_again_s: 60", "look_again_s: 1"), encoding="utf-8")
    return copied


@pytest.fixture
async def liar():
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/hangs"):
            await over.wait()
        return web.Response(text="<html>It works!</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Liar(f"http://127.0.0.1:{port}")
    finally:
        over.set()
        await runner.cleanup()


@pytest.fixture
async def shop(facts):
    """The real shop with checkout 1.4.2 failing since a moment ago."""
    catalogue = load_catalogue(Path(ROOT / "demo" / "shop" / "catalogue.yaml"), facts["env"])
    async with httpx.AsyncClient(base_url=facts["control_url"], timeout=60, trust_env=False) as client:
        await asyncio.sleep(15)  # real time: something of ordinary life to compare with
        (await client.post("/faults/bad-release")).raise_for_status()

        async def alerted() -> bool:
            return bool((await client.get("/status")).json()["alerts"])

        await until(alerted, what="an alert", within_s=90)
        yield catalogue
        (await client.post("/faults/reset")).raise_for_status()


def changed(catalogue: Catalogue, kind: str, **source: str) -> Catalogue:
    """The same catalogue with one kind of source pointed elsewhere, for every service that has it."""
    services = tuple(
        service.model_copy(update={"sources": {**service.sources, kind: {**service.sources[kind], **source}}})
        if kind in service.sources
        else service
        for service in catalogue.services
    )
    return catalogue.model_copy(update={"services": services})


async def triage(catalogue: Catalogue, *, runbooks: Path) -> Run:
    """Run the shipped triage up to its proposal, or its end, with its second look if it takes one."""
    plugins = load_plugins()
    library = load_runbooks([runbooks], plugins=plugins)
    store, clock = MemoryStore(), SystemClock()
    event = RunStarted(
        at=clock.now(),
        runbook=library.get("triage"),
        params={"service": "checkout", "since": 1800},
        requested_by=ANA,
        origin=Origin(kind="cli"),
    )
    await store.start("r1", event)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        deps = deps_over(
            memory_stores(clock, store=store),
            http=http,
            library=library,
            catalogue=catalogue,
            clock=clock,
            plugins=plugins,
            settings={"watch_s": 5},
        )

        async def proposes_or_ends() -> Run | None:
            await Engine(deps).advance("r1")
            run = fold("r1", await store.load("r1"))
            return run if run.outcome is not None or run.waiting_for is not None else None

        return await until(proposes_or_ends, what="a proposal, or the end", within_s=90)


async def test_each_way_to_fail_is_named_and_makes_the_diagnosis_less_sure(shop, liar, runbooks):
    whole = (await triage(shop, runbooks=runbooks)).diagnosis
    assert whole.top is not None
    assert (whole.top.kind, whole.top.service) == ("bad_release", "checkout")
    broken = {
        "metrics hang": (changed(shop, "prometheus", url=f"{liar.url}/hangs"), "metrics", "unavailable"),
        "metrics talk nonsense": (
            changed(shop, "prometheus", url=f"{liar.url}/garbage"),
            "metrics",
            "garbage",
        ),
        "metrics are down": (changed(shop, "prometheus", url=DOWN), "metrics", "unavailable"),
        "logs are gone": (changed(shop, "logs", path="/nowhere/*.jsonl"), "logs", "unavailable"),
        "something else listens where the database should": (
            changed(shop, "postgres", dsn=f"postgresql://nobody@{liar.url.removeprefix('http://')}/shop"),
            "database",
            "garbage",
        ),
    }
    for name, (catalogue, source, status) in broken.items():
        run = await triage(catalogue, runbooks=runbooks)
        told = run.diagnosis
        assert {s.name: s.status.value for s in told.unread}[source] == status, name
        assert run.phases["evidence"].outcome == "partial", name
        assert told.causes, name
        assert told.causes[0].service == "checkout", name
        assert told.causes[0].confidence < whole.top.confidence, name


async def test_with_every_source_gone_nothing_is_claimed_and_nothing_is_proposed(shop, liar, runbooks):
    dark = changed(shop, "prometheus", url=f"{liar.url}/hangs")
    dark = changed(dark, "logs", path="/nowhere/*.jsonl")
    dark = changed(dark, "changes", url=f"{liar.url}/garbage")
    dark = changed(dark, "http", health=f"{liar.url}/hangs")
    dark = changed(dark, "postgres", dsn=f"postgresql://nobody@{liar.url.removeprefix('http://')}/shop")
    run = await triage(dark, runbooks=runbooks)
    assert run.outcome == "unclear", run.diagnosis.causes
    assert run.diagnosis.verdict == "unclear"
    assert {s.name for s in run.diagnosis.unread} >= {"metrics", "logs", "changes", "database"}
    assert run.phases["diagnosis"].looks == 2
    assert run.approvals == {}
