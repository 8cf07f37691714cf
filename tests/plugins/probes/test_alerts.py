"""Alerts around a service: of a real Prometheus with ten days of history, and of the bot's own book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import SystemClock
from bot.domain.diagnoses.finding import Finding, Findings
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.monitoring.alert import Alert
from bot.engine.stores import Stores
from bot.probes.alerts import recent
from bot.testing.stores import memory_stores
from tests.support.servers import answering, free_port, http_server, kept, prometheus, silent_server
from tests.support.waiting import until

DAY_S, DAYS, STEP_S = 86_400, 10, 60
NOW = SystemClock().now().replace(microsecond=0)


def history(end_s: int) -> str:
    """Ten days of a target that is up; one alert of every night, one of today, and a stranger's."""
    begin_s = end_s - DAYS * DAY_S
    lines = ["# TYPE up gauge", "# TYPE ALERTS gauge"]
    lines += [f'up{{job="services",service="pay"}} 1 {at_s}' for at_s in range(begin_s, end_s, 3600)]
    nightly = [
        at_s
        for day in range(1, DAYS)
        for at_s in range(end_s - day * DAY_S, end_s - day * DAY_S + 1800, STEP_S)
    ]
    fresh = [*range(end_s - 7 * DAY_S, end_s - 7 * DAY_S + 600, STEP_S), *range(end_s - 300, end_s, STEP_S)]
    labels = 'alertstate="firing",severity="warning"'
    lines += [f'ALERTS{{alertname="BackupSlow",job="pay",{labels}}} 1 {at_s}' for at_s in sorted(nightly)]
    lines += [f'ALERTS{{alertname="CpuHigh",service="pay",{labels}}} 1 {at_s}' for at_s in fresh]
    lines += [f'ALERTS{{alertname="CpuHigh",service="stranger",{labels}}} 1 {at_s}' for at_s in fresh]
    return "\n".join([*lines, "# EOF"]) + "\n"


@dataclass(frozen=True)
class Watching:
    """Where a Prometheus listens, and until when its history goes: until it was started."""

    url: str
    until: datetime


@pytest.fixture(scope="module")
def watching() -> Iterator[Watching]:
    """A Prometheus that has seen all this, and whose own rule fires for a service that does not answer."""
    until = SystemClock().now().replace(microsecond=0)
    seen = history(int(until.timestamp()))
    with kept(prometheus({"gone": f"127.0.0.1:{free_port()}"}, history=seen)) as url:
        yield Watching(url, until)


def service(name: str, url: str = "", **more: Any) -> dict[str, Any]:
    source = {"prometheus": {"url": url, "selector": f'service="{name}"'}} if url else {}
    return {"name": name, "sources": source, **more}


def alert(name: str, *, began: datetime, ended: datetime | None = None, where: str = "pay") -> Alert:
    return Alert(
        fingerprint=f"{where}.{name}",
        name=name,
        service=where,
        summary=f"{name} as the book has it",
        status="resolved" if ended else "firing",
        starts_at=began,
        ends_at=ended,
        url="http://alerts.example/1",
    )


async def book(*alerts: Alert) -> Stores:
    stores = memory_stores()
    for one in alerts:
        await stores.alerts.report(one)
    return stores


def by_name(found: Findings) -> dict[str, Finding]:
    return {f"{finding.service} {finding.component}": finding for finding in found.items}


@pytest.mark.server
async def test_what_fires_around_a_service_is_told_with_what_it_did_on_the_days_before(context, watching):
    shop = (
        service("web", depends_on=["pay"]),
        service("pay", watching.url, depends_on=["gone"]),
        service("gone", watching.url),
    )
    ctx = context(*shop, timeout_s=10)
    seen: dict[str, Finding] = {}

    async def fires() -> bool:
        seen.update(by_name(await recent(ctx, service="pay", since_s=900)))
        return "gone NoAnswer" in seen

    await until(fires, what="the rule to fire", within_s=30)
    found = by_name(await recent(ctx, service="pay", since_s=900))
    assert set(found) == {"pay CpuHigh", "gone NoAnswer"}
    cpu, down = found["pay CpuHigh"], found["gone NoAnswer"]
    assert abs((cpu.began_at - (watching.until - timedelta(seconds=300))).total_seconds()) < STEP_S
    assert (cpu.data["days_before"], cpu.data["days_known"], cpu.data["severity"]) == (1, DAYS, "warning")
    assert 0.6 < cpu.strength < 1
    assert (down.data["days_before"], down.data["ended"], down.strength) == (0, False, 1)
    assert cpu.evidence[0].url.startswith(f"{watching.url}/graph?g0.expr=max%20by")
    early = by_name(await recent(ctx, service="pay", since_s=DAY_S + 3600))
    assert early["pay BackupSlow"].data["ended"] is True
    assert early["pay BackupSlow"].data["days_before"] == DAYS - 2  # the latest night is in the window


async def test_the_book_alone_tells_of_what_fires_what_has_just_ended_and_its_days(context):
    alarms = await book(
        alert("CpuHigh", began=NOW - timedelta(minutes=4)),
        alert("CpuHigh", began=NOW - timedelta(days=3, hours=3), ended=NOW - timedelta(days=3, hours=1)),
        alert("DiskFull", began=NOW - timedelta(days=5)),
        alert("Restarted", began=NOW - timedelta(minutes=20), ended=NOW - timedelta(minutes=19)),
        alert("Ancient", began=NOW - timedelta(days=20), ended=NOW - timedelta(days=18, hours=1)),
        alert("CpuHigh", began=NOW - timedelta(minutes=4), where="stranger"),
        alert("Blind", began=NOW - timedelta(minutes=4)).model_copy(update={"unknown": True}),
    )
    ctx = context(service("web", depends_on=["pay"]), service("pay"), stores=alarms, clock=Stopped())
    asked = f"pay.CpuHigh-{int((NOW - timedelta(minutes=4)).timestamp())}"
    found = by_name(await recent(ctx, service="web", alert=asked))
    assert set(found) == {"pay CpuHigh", "pay DiskFull", "pay Restarted"}
    cpu, disk, restarted = (found[f"pay {name}"] for name in ("CpuHigh", "DiskFull", "Restarted"))
    assert (cpu.data["days_before"], cpu.data["days_known"], cpu.data["question"]) == (1, 20, True)
    assert (disk.data["days_before"], disk.data["question"]) == (5, False)
    assert restarted.data["ended"] is True
    assert cpu.evidence[0].text == "CpuHigh as the book has it"
    assert disk.strength < cpu.strength


@pytest.mark.server
async def test_a_prometheus_that_cannot_be_read_is_a_gap_beside_the_book(context, watching):
    gone = f"http://127.0.0.1:{free_port()}"
    shop = (service("web", gone, depends_on=["pay"]), service("pay", watching.url))
    found = await recent(context(*shop, timeout_s=10), service="web", since_s=900)
    assert {finding.service for finding in found.items} == {"pay"}
    assert found.gaps[0].startswith("web: ")
    stores = await book(alert("DiskFull", began=NOW - timedelta(days=5)))
    told = await recent(context(service("web", gone), stores=stores), service="web")
    assert (told.items, len(told.gaps)) == ((), 1)
    assert "refused" in told.gaps[0]
    async with silent_server() as address:
        ctx = context(service("web", f"http://{address}"), timeout_s=0.5, stores=stores)
        told = await recent(ctx, service="web")
    assert "within" in told.gaps[0]


async def test_what_is_no_prometheus_is_a_gap_beside_the_book(context):
    stores = await book(alert("DiskFull", began=NOW - timedelta(days=5)))
    async with http_server({"/api/v1/query_range": answering({"status": "success"})}) as url:
        (gap,) = (await recent(context(service("web", url), stores=stores), service="web")).gaps
    assert gap.startswith("web: ")
    assert "as Prometheus does" in gap


async def test_where_nothing_reports_alerts_their_absence_is_not_read(context):
    with pytest.raises(ProbeNotConfiguredError, match="Nothing reports alerts of web"):
        await recent(context(service("web")), service="web")
    with pytest.raises(ProbeUnavailableError, match="refused"):
        await recent(context(service("web", f"http://127.0.0.1:{free_port()}")), service="web")


async def test_a_monitor_reports_alerts_though_none_has_fired(context):
    watched = service(
        "web", monitors=[{"id": "up", "probe": "http.health", "every": "10s", "expect": "true"}]
    )
    assert (await recent(context(watched), service="web")).items == ()


class Stopped:
    def now(self) -> datetime:
        return NOW
