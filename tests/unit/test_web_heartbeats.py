"""Jobs report over HTTP in the ways a crontab can, and whatever is not understood is refused with a way out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.adapters.http.heartbeats import fields_of
from bot.domain.catalogue import Catalogue
from bot.domain.monitoring.heartbeat import Heartbeat
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryHeartbeats
from bot.testing.stores import memory_stores
from tests.support.depths import operating
from tests.support.worlds import HandClock

TOKEN = {"authorization": "Bearer secret"}
CATALOGUE = Catalogue.model_validate(
    {"services": [{"name": "checkout", "heartbeats": ["backup", "report"]}, {"name": "payments"}]}
)


class Kept(MemoryHeartbeats):
    """Heartbeats that can be out of reach."""

    down = False

    async def beat(self, beat: Heartbeat) -> None:
        if self.down:
            raise ConnectionRefusedError
        await super().beat(beat)


class Web:
    """The HTTP surface and what lies behind it."""

    def __init__(self, *, token: str | None = "secret") -> None:
        store = MemoryStore()
        self.kept, self.clock = Kept(), HandClock()
        self.parts = WebParts(
            stores=replace(memory_stores(store=store), heartbeats=self.kept),
            clock=self.clock,
            webhook_token=SecretStr("another"),
            catalogue=CATALOGUE,
            heartbeat_token=None if token is None else SecretStr(token),
            operating=operating(store.depth),
        )

    async def send(self, method: str, path: str, **more: object) -> httpx.Response:
        transport = httpx.ASGITransport(app=web_app(self.parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            return await client.request(method, path, **{"headers": TOKEN, **more})

    async def last(self, job: str = "backup", service: str = "checkout") -> Heartbeat | None:
        pulse = await self.kept.pulse(service=service, job=job)
        return pulse.last if pulse else None


@pytest.mark.parametrize(
    ("method", "path", "more", "expected"),
    [
        ("POST", "", {}, ("ok", "", None)),
        ("GET", "", {}, ("ok", "", None)),
        ("GET", "?status=fail&text=disk+full&duration_s=3", {}, ("fail", "disk full", 3)),
        ("POST", "?status=fail", {}, ("fail", "", None)),
        ("POST", "", {"json": {"status": "fail", "text": "é", "duration_s": 1.5}}, ("fail", "é", 1.5)),
        ("POST", "", {"data": {"status": "fail", "text": "no space"}}, ("fail", "no space", None)),
        ("POST", "", {"json": {"text": "x" * 2000}}, ("ok", "x" * 500, None)),
    ],
)
async def test_a_job_reports_as_it_can(method, path, more, expected):
    web = Web()
    answer = await web.send(method, f"/heartbeats/checkout/backup{path}", **more)
    assert answer.status_code == 202
    last = await web.last()
    assert (last.status, last.text, last.duration_s) == expected
    assert last.at == web.clock.now()


@pytest.mark.parametrize(
    ("path", "more", "status", "reason", "hint"),
    [
        ("checkout/bakup", {}, 404, "unknown_job", "(did you mean `backup`?)"),
        ("chekout/backup", {}, 404, "unknown_service", "`checkout`"),
        ("payments/Not%20A%20Name", {}, 400, "heartbeat_not_understood", "Not valid: job."),
        ("checkout/backup", {"headers": {}}, 401, "heartbeat_token_wrong", "Authorization"),
        (
            "checkout/backup",
            {"headers": {"authorization": "Bearer another"}},
            401,
            "heartbeat_token_wrong",
            "",
        ),
        ("checkout/backup", {"json": {"status": "great"}}, 400, "heartbeat_not_understood", "status."),
        ("checkout/backup", {"json": {"exit": 1}}, 400, "heartbeat_not_understood", "exit."),
        ("checkout/backup", {"data": {"duration_s": "-1"}}, 400, "heartbeat_not_understood", "duration_s."),
        ("checkout/backup", {"data": {"duration_s": "nan"}}, 400, "heartbeat_not_understood", "duration_s."),
        ("checkout/backup", {"content": b"{broken"}, 400, "heartbeat_not_understood", "Send `status`"),
        ("checkout/backup", {"content": b"\xff\xfe"}, 400, "heartbeat_not_understood", "Send `status`"),
        ("checkout/backup", {"content": b'{"a":' * 3900}, 400, "heartbeat_not_understood", "Send `status`"),
        ("checkout/backup", {"content": b"x" * 20_001}, 413, "heartbeat_too_big", "20000 bytes"),
    ],
)
async def test_what_is_no_heartbeat_of_ours_is_refused_with_a_hint(path, more, status, reason, hint):
    web = Web()
    answer = await web.send("POST", f"/heartbeats/{path}", **more)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert hint in answer.json()["hint"]
    assert await web.last() is None


async def test_a_service_that_lists_no_heartbeats_takes_those_of_any_job():
    web = Web()
    assert (await web.send("POST", "/heartbeats/payments/nightly")).status_code == 202
    assert (await web.last("nightly", "payments")).status == "ok"


async def test_without_a_token_no_heartbeat_is_taken():
    answer = await Web(token=None).send("POST", "/heartbeats/checkout/backup")
    assert (answer.status_code, answer.json()["error"]) == (503, "heartbeat_token_missing")


async def test_a_heartbeat_that_cannot_be_written_is_asked_for_again_and_counted_as_such():
    web = Web()
    web.kept.down = True
    transport = httpx.ASGITransport(app=web_app(web.parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot", headers=TOKEN) as client:
        answer = await client.post("/heartbeats/checkout/backup")
        web.kept.down = False
        await client.post("/heartbeats/checkout/backup")
        metrics = (await client.get("/metrics")).text
    assert (answer.status_code, answer.json()["error"]) == (503, "store_down")
    assert 'pilothouse_heartbeats_total{status="202"} 1.0' in metrics
    assert 'pilothouse_heartbeats_total{status="503"} 1.0' in metrics


async def test_the_time_of_a_report_is_the_bots_own():
    web = Web()
    await web.send("POST", "/heartbeats/checkout/backup")
    first = await web.last()
    web.clock.forward(60)
    await web.send("POST", "/heartbeats/checkout/backup")
    assert (await web.last()).at - first.at == timedelta(seconds=60)


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: f'{{"{text}":1}}'.encode()))
def test_any_body_gives_fields_or_is_refused(body):
    try:
        found = fields_of(body)
    except ValueError:
        assert body.strip()  # to send nothing is no error
    else:
        text = body.decode().strip()
        expected = json.loads(text) if text.startswith("{") else dict(parse_qsl(text))
        assert found == expected
