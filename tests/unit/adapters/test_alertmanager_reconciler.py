"""An alert that Alertmanager no longer lists is closed after a while, and only if every member has answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from bot.adapters.alertmanager_reconciler import ABSENT_S, AlertmanagerReconciler
from bot.domain.monitoring.alert import Alert
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.worlds import START, HandClock


def alert(name: str, **more) -> Alert:
    labels = {"alertname": name, "service": "checkout"}
    return Alert(
        fingerprint=name,
        name=name,
        service="checkout",
        status="firing",
        starts_at=START,
        labels=labels,
        **more,
    )


def listed(*names: str) -> list[dict]:
    return [
        {"labels": {"alertname": name, "service": "checkout"}, "status": {"state": "suppressed"}}
        for name in names
    ]


@dataclass
class Cluster:
    """Two Alertmanagers, the alerts that were reported, and who compares them."""

    answers: dict[str, object] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self):
        self.stores = memory_stores(self.clock, store=MemoryStore())
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.reconciler = AlertmanagerReconciler(
            self.stores, http, self.clock, urls=["http://a:9093/", "http://b:9093"]
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v2/alerts"
        answer = self.answers[request.url.host]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    async def fires(self, name: str) -> None:
        """Report an alert that Alertmanager lists at first."""
        await self.stores.alerts.report(alert(name))
        self.answers = {"a": listed(name), "b": []}
        await self.reconciler.tick()

    async def tick(self, *, after_s: float = 0) -> list[str]:
        self.clock.forward(after_s)
        await self.reconciler.tick()
        return sorted(each.name for each in await self.stores.alerts.firing())


@pytest.fixture
def cluster():
    return Cluster()


async def test_what_none_of_them_lists_is_closed_after_a_while_and_says_why(cluster):
    for name in ("Gone", "Here", "There"):
        await cluster.fires(name)
    cluster.answers = {"a": listed("Here"), "b": listed("There")}
    assert await cluster.tick() == ["Gone", "Here", "There"]
    assert await cluster.tick(after_s=ABSENT_S - 1) == ["Gone", "Here", "There"]
    assert await cluster.tick(after_s=1) == ["Here", "There"]
    gone = await cluster.stores.alerts.newest("Gone")
    assert gone.closed_because == "Alertmanager no longer lists it"
    assert gone.ends_at == START + timedelta(seconds=ABSENT_S)


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(503),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
        httpx.Response(200, text="<html>"),
        {"status": "error"},
        [{"labels": None}],
        ["x"],
    ],
    ids=str,
)
async def test_one_that_does_not_answer_closes_nothing_and_the_wait_begins_anew(cluster, broken):
    await cluster.fires("Gone")
    cluster.answers = {"a": [], "b": []}
    await cluster.tick()
    cluster.answers = {"a": [], "b": broken}
    assert await cluster.tick(after_s=ABSENT_S) == ["Gone"]
    cluster.answers = {"a": [], "b": []}
    assert await cluster.tick() == ["Gone"]
    assert await cluster.tick(after_s=ABSENT_S) == []


async def test_one_that_is_listed_again_meanwhile_stays(cluster):
    await cluster.fires("Back")
    cluster.answers = {"a": [], "b": []}
    await cluster.tick()
    cluster.answers = {"a": listed("Back"), "b": []}
    await cluster.tick(after_s=ABSENT_S / 2)
    cluster.answers = {"a": [], "b": []}
    assert await cluster.tick(after_s=ABSENT_S / 2) == ["Back"]


async def test_alerts_of_other_sources_and_what_stands_for_hidden_ones_are_left_alone(cluster):
    await cluster.stores.alerts.report(alert("Own", source="monitor"))
    await cluster.stores.alerts.report(alert("Hidden", left_out=3))
    assert await cluster.tick() == ["Hidden", "Own"]
    assert await cluster.tick(after_s=ABSENT_S) == ["Hidden", "Own"]


async def test_an_alert_that_alertmanager_never_listed_came_from_another_system_and_stays(cluster):
    await cluster.stores.alerts.report(alert("FromGrafana"))
    cluster.answers = {"a": listed("Here"), "b": []}
    assert await cluster.tick() == ["FromGrafana"]
    assert await cluster.tick(after_s=ABSENT_S) == ["FromGrafana"]
