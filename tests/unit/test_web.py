"""What arrives over HTTP is checked, written down once, and only then answered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.http.alertmanager import MAX_BYTES
from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.domain.catalogue import Catalogue, Service
from bot.testing.alerts import MemoryAlertStore
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.depths import operating
from tests.support.worlds import HandClock

CASES = Path(__file__).parents[1] / "data" / "cases"
TOKEN = {"authorization": "Bearer secret"}
FIRING = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "service": "checkout", "severity": "page"},
            "annotations": {"summary": "12 % of requests fail"},
            "startsAt": "2026-03-04T03:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "abc",
        }
    ],
}


class Store(MemoryStore):
    """A store that can be out of reach."""

    down = False

    async def ping(self):
        if self.down:
            raise ConnectionRefusedError


class Alerts(MemoryAlertStore):
    """The alerts of a store that can be out of reach."""

    def __init__(self, store):
        super().__init__()
        self._store = store

    async def report(self, alert):
        if self._store.down:
            raise ConnectionRefusedError
        return await super().report(alert)


@pytest.fixture
async def web():
    store = Store()
    stores = replace(memory_stores(store=store), alerts=Alerts(store))
    parts = WebParts(
        stores=stores,
        catalogue=Catalogue(services=(Service(name="checkout"),)),
        clock=HandClock(),
        webhook_token=SecretStr("secret"),
        operating=operating(store.ping),
    )
    transport = httpx.ASGITransport(app=web_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        client.store, client.stores = store, stores
        yield client


async def test_an_alert_is_written_down_once_however_often_it_is_delivered(web):
    answers = [await web.post("/webhooks/alertmanager", json=FIRING, headers=TOKEN) for _ in range(2)]
    assert [a.status_code for a in answers] == [202, 202]
    assert [a.json() for a in answers] == [{"accepted": 1, "new": 1}, {"accepted": 1, "new": 0}]
    (kept,) = await web.stores.alerts.firing()
    assert (kept.name, kept.service) == ("HighErrorRate", "checkout")


async def test_an_alert_that_fires_again_under_the_same_start_is_news(web):
    sent = [path.read_bytes() for path in sorted((CASES / "01-am-refire-same-start").glob("*.json"))]
    answers = [await web.post("/webhooks/alertmanager", content=each, headers=TOKEN) for each in sent]
    assert [answer.json()["new"] for answer in answers] == [1, 1, 1]
    (back,) = await web.stores.alerts.firing()
    assert (back.name, back.times) == ("LinkDown", 2)
    assert back.ended_before is not None


async def test_what_a_notification_leaves_out_fires_until_one_is_whole(web):
    sent = (CASES / "03-am-truncated-alerts" / "notification.json").read_bytes()
    for _ in range(2):
        answer = await web.post("/webhooks/alertmanager", content=sent, headers=TOKEN)
        assert (answer.status_code, answer.json()["left_out"]) == (202, 37)
    shown, missing = sorted(await web.stores.alerts.firing(), key=lambda alert: alert.left_out)
    assert (shown.left_out, missing.left_out) == (0, 37)
    whole = json.dumps({**json.loads(sent), "truncatedAlerts": 0})
    assert (await web.post("/webhooks/alertmanager", content=whole, headers=TOKEN)).json() == {
        "accepted": 1,
        "new": 0,
    }
    assert await web.stores.alerts.firing() == (shown,)


@pytest.mark.parametrize("label", ["Checkout", "CHECKOUT", "checkout\u200b"])
async def test_a_service_is_found_whatever_its_case(web, label):
    (alert,) = FIRING["alerts"]
    sent = {**FIRING, "alerts": [{**alert, "labels": {**alert["labels"], "service": label}}]}
    await web.post("/webhooks/alertmanager", json=sent, headers=TOKEN)
    assert [kept.service for kept in await web.stores.alerts.firing()] == ["checkout"]


async def test_an_alert_without_a_start_is_one_episode_until_it_ends(web):
    (alert,) = FIRING["alerts"]
    for status, new in (("firing", 1), ("firing", 0), ("resolved", 1), ("resolved", 0), ("firing", 1)):
        sent = {**FIRING, "status": status, "alerts": [{**alert, "startsAt": None, "status": status}]}
        assert (await web.post("/webhooks/alertmanager", json=sent, headers=TOKEN)).json()["new"] == new
    assert len(await web.stores.alerts.firing()) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"{broken", TOKEN, 400, "webhook_not_json"),
        (b'{"hello": "world"}', TOKEN, 400, "webhook_not_alertmanager"),
        (b"x" * (MAX_BYTES + 1), TOKEN, 413, "webhook_too_big"),
        (b"{}", {}, 401, "webhook_token_wrong"),
        (b"{}", {"authorization": "Bearer wrong"}, 401, "webhook_token_wrong"),
        (b"{}", {"authorization": "Bearer \u00e9".encode("latin-1")}, 401, "webhook_token_wrong"),
    ],
)
async def test_what_is_no_webhook_of_ours_is_refused_and_starts_nothing(web, body, headers, status, reason):
    answer = await web.post("/webhooks/alertmanager", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert await web.stores.alerts.firing() == ()


async def test_a_storm_of_alerts_is_taken_whole(web):
    (alert,) = FIRING["alerts"]
    long = {**alert, "annotations": {"summary": "x" * 700}}
    storm = {**FIRING, "alerts": [{**long, "fingerprint": str(number)} for number in range(2000)]}
    answer = await web.post("/webhooks/alertmanager", json=storm, headers=TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2000, "new": 2000})
    assert len(await web.stores.alerts.firing(limit=3000)) == 2000


async def test_a_notification_that_is_too_big_is_told_what_to_do(web):
    sent = b" " * (MAX_BYTES + 1)
    answer = await web.post("/webhooks/alertmanager", content=sent, headers=TOKEN)
    assert (answer.status_code, "max_alerts" in answer.json()["hint"]) == (413, True)
    assert 'pilothouse_webhooks_total{status="413"} 1.0' in (await web.get("/metrics")).text


async def test_an_alert_that_cannot_be_written_is_asked_for_again(web):
    web.store.down = True
    answer = await web.post("/webhooks/alertmanager", json=FIRING, headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]) == (503, "store_down")


async def test_ready_is_not_the_same_as_alive(web):
    assert (await web.get("/readyz")).status_code == 200
    web.store.down = True
    assert (await web.get("/readyz")).status_code == 503
    assert (await web.get("/healthz")).status_code == 200


async def test_metrics_tell_how_webhooks_were_answered(web):
    await web.post("/webhooks/alertmanager", json=FIRING, headers=TOKEN)
    text = (await web.get("/metrics")).text
    assert 'pilothouse_webhooks_total{status="202"} 1.0' in text
    assert "pilothouse_alerts_total 1.0" in text
