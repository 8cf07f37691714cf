"""What arrives over HTTP is checked, written down once, and only then answered."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.http.alertmanager import MAX_BYTES
from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.depths import operating
from tests.support.worlds import HandClock

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

    async def put(self, intent):
        if self.down:
            raise ConnectionRefusedError
        return await super().put(intent)

    async def ping(self):
        if self.down:
            raise ConnectionRefusedError


@pytest.fixture
async def web():
    store = Store()
    parts = WebParts(
        stores=memory_stores(store=store),
        clock=HandClock(),
        webhook_token=SecretStr("secret"),
        operating=operating(store.ping),
    )
    transport = httpx.ASGITransport(app=web_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        client.store = store
        yield client


async def test_an_alert_is_written_down_once_however_often_it_is_delivered(web):
    answers = [await web.post("/webhooks/alertmanager", json=FIRING, headers=TOKEN) for _ in range(2)]
    assert [a.status_code for a in answers] == [202, 202]
    assert [a.json() for a in answers] == [{"accepted": 1, "new": 1}, {"accepted": 1, "new": 0}]
    assert await web.store.depth() == 1


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
    assert await web.store.depth() == 0


async def test_a_storm_of_alerts_is_taken_whole(web):
    (alert,) = FIRING["alerts"]
    long = {**alert, "annotations": {"summary": "x" * 700}}
    storm = {**FIRING, "alerts": [{**long, "fingerprint": str(number)} for number in range(2000)]}
    answer = await web.post("/webhooks/alertmanager", json=storm, headers=TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2000, "new": 2000})
    assert await web.store.depth() == 2000


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
    assert 'pilothouse_queue_waiting_messages{lane="intents"} 3.0' in text
