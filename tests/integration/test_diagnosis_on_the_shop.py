"""The probes and the ranking on the real shop: the true cause first for each fault, right as its alert fires."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.adapters.files.catalogue_file import load_catalogue
from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.clock import SystemClock
from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis, Source, SourceStatus
from bot.domain.diagnoses.finding import FindingKind, Findings
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.engine.plugins import Context
from bot.probes import alerts
from bot.probes.changes import probes as changes
from bot.probes.http import probes as http
from bot.probes.logs import probes as logs
from bot.probes.postgres import probes as postgres
from bot.probes.prometheus import probes as prometheus
from bot.testing.stores import memory_context, memory_stores
from demo.scenarios.report import is_right
from demo.scenarios.scenarios import scenario
from tests.demo.open_shop import ROOT, start_shop, stop_shop
from tests.support.waiting import until

pytestmark = [pytest.mark.demo, pytest.mark.server, pytest.mark.timeout(400)]

PROBES = {
    "logs": logs.errors,
    "metrics": prometheus.anomalies,
    "changes": changes.recent,
    "dependencies": http.dependencies,
    "database": postgres.health,
    "alerts": alerts.recent,
}
ORDINARY_S = 15
"""Something of ordinary life to compare with, before the first fault."""
SETTLED_S = 5
"""And a breath between two."""
LATER_S = 10
PATIENCE_S = 30
"""More than `triage` gives each probe, for the machine may be busy; a sick probe shows as a source that was not read."""


class NoLedger:
    async def record(self, change: Change) -> None:
        raise AssertionError("a probe writes nothing")

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        return ()


@dataclass
class Desk:
    """A shop that is open, and what is needed to look at it."""

    http: httpx.AsyncClient
    catalogue: Catalogue
    env: dict[str, str]

    async def begin(self, fault: str, parameters: dict[str, Any]) -> None:
        (await self.http.post(f"/faults/{fault}", json=parameters)).raise_for_status()

    async def firing(self) -> list[str]:
        found = (await self.http.get("/status")).json()["alerts"] or []
        return [alert["service"] for alert in found]

    async def failing(self) -> float:
        recent = (await self.http.get("/load", params={"window_s": "3"})).json()["recent"]
        return float(recent["error_ratio"] or 0.0)

    async def alerted(self, service: str) -> None:
        async def fires() -> bool:
            return service in await self.firing()

        await until(fires, what=f"an alert of {service}", within_s=90)

    async def well(self) -> None:
        async def calm() -> bool:
            return not await self.firing() and not await self.failing()

        await until(calm, what="the shop is well", within_s=120)

    async def diagnose(self, service: str, *, without: str = "") -> Diagnosis:
        now = SystemClock().now()
        context = memory_context(
            timeout_s=PATIENCE_S,
            catalogue=self.catalogue,
            http=self.http,
            stores=replace(memory_stores(), ledger=NoLedger()),
        )
        names = [name for name in PROBES if name != without]
        read = await asyncio.gather(*(_read(name, context, service) for name in names))
        results: dict[str, Findings | Source] = dict(zip(names, read, strict=True))
        if without:
            results[without] = Source(name=without, status=SourceStatus.UNAVAILABLE, why="left out")
        return rank_causes(service=service, catalogue=self.catalogue, results=results, now=now, since_s=1800)


async def _read(name: str, context: Context, service: str) -> Findings | Source:
    try:
        return await PROBES[name](context, service=service)
    except ProbeNotConfiguredError as error:
        return Source(name=name, status=SourceStatus.NOT_CONFIGURED, why=str(error))
    except ProbeUnavailableError as error:
        return Source(name=name, status=SourceStatus.UNAVAILABLE, why=str(error))


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    process, told = start_shop(tmp_path_factory.mktemp("shop"))
    try:
        time.sleep(ORDINARY_S)  # real time: something of ordinary life to compare with
        yield told
    finally:
        assert stop_shop(process) == 0


@pytest.fixture
async def desk(facts):
    catalogue = load_catalogue(Path(ROOT / "demo" / "shop" / "catalogue.yaml"), facts["env"])
    async with httpx.AsyncClient(base_url=facts["control_url"], timeout=60, trust_env=False) as client:
        opened = Desk(http=client, catalogue=catalogue, env=facts["env"])
        await opened.well()
        await asyncio.sleep(SETTLED_S)  # real time: what was wrong before is over
        yield opened
        (await client.post("/faults/reset")).raise_for_status()


FAULTS = [
    pytest.param(
        "bad-release", {}, "checkout", (CauseKind.BAD_RELEASE, "checkout", "1.4.2"), id="bad-release"
    ),
    pytest.param(
        "database-lock", {}, "storefront", (CauseKind.DATABASE_LOCK, "checkout", "stock"), id="lock"
    ),
    pytest.param("dependency-down", {}, "checkout", (CauseKind.DEPENDENCY_DOWN, "bank", ""), id="bank"),
    pytest.param(
        "bad-configuration",
        {},
        "storefront",
        (CauseKind.BAD_CONFIGURATION, "payments", "bank_timeout_ms"),
        id="setting",
    ),
    pytest.param(
        "saturation",
        {"resource": "memory"},
        "payments",
        (CauseKind.SATURATION, "payments", "memory"),
        id="memory",
    ),
    pytest.param(
        "saturation", {"resource": "cpu"}, "payments", (CauseKind.SATURATION, "payments", "cpu"), id="cpu"
    ),
]


@pytest.mark.parametrize(("fault", "parameters", "service", "cause"), FAULTS)
async def test_the_true_cause_is_first_when_the_alert_fires_and_later(
    desk, fault, parameters, service, cause
):
    await desk.begin(fault, parameters)
    await desk.alerted(service)
    at_once = await desk.diagnose(service)
    await asyncio.sleep(LATER_S)  # real time: what is wrong goes on
    later = await desk.diagnose(service)
    for found in (at_once, later):
        assert found.verdict == "cause_found", found.model_dump_json(indent=1)
        first = found.causes[0]
        assert (first.kind, first.service, first.component) == cause
        assert set(first.evidence) <= {finding.id for finding in found.findings}
        rivals = [other for other in found.causes[1:] if other.confidence >= first.confidence - 0.2]
        assert rivals == [], found.model_dump_json(indent=1)
        assert found.onset is not None
        firing = [f for f in found.findings if f.kind is FindingKind.ALERT and not f.data["ended"]]
        assert service in {alert.service for alert in firing}


async def test_two_faults_at_once_are_both_named(desk):
    two = scenario("two-faults")
    await desk.begin(two.fault, {})
    await desk.alerted(two.service)
    await asyncio.sleep(LATER_S)  # real time: the second fault shows later
    found = await desk.diagnose(two.service)
    assert is_right(two, found), found.model_dump_json(indent=1)
    assert "At the same time: " in found.summary
