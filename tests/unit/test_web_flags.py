"""Services ask for flags by OpenFeature's protocol, and are told what their flag is, or why they are not."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.flag import Flag
from bot.domain.errors import ProbeUnavailableError
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryFlags
from bot.testing.stores import memory_stores
from tests.support.depths import operating
from tests.support.worlds import HandClock

PATH = "/flags/shop/ofrep/v1/evaluate/flags/new-cart"


class Kept(MemoryFlags):
    """Flags that can be out of reach."""

    down = False

    async def find(self, service: str, key: str) -> Flag | None:
        if self.down:
            raise ProbeUnavailableError("The flags cannot be read.")
        return await super().find(service, key)


@contextlib.asynccontextmanager
async def asked(
    flags: MemoryFlags, *, token: str | None = "secret", given: str = "Bearer secret"
) -> AsyncIterator[httpx.AsyncClient]:
    parts = WebParts(
        stores=replace(memory_stores(), flags=flags),
        clock=HandClock(),
        webhook_token=None,
        catalogue=Catalogue(services=(Service(name="shop"),)),
        operating=operating(MemoryStore().depth),
        flags_token=None if token is None else SecretStr(token),
    )
    transport = httpx.ASGITransport(app=web_app(parts))
    headers = {"authorization": given}
    async with httpx.AsyncClient(transport=transport, base_url="http://bot", headers=headers) as client:
        yield client


async def kept(**rules: object) -> Kept:
    flags = Kept()
    flag = Flag.model_validate({"key": "new-cart", **rules})
    await flags.put("shop", flag, run_id="r", epoch=1)
    return flags


@pytest.mark.parametrize(
    ("rules", "context", "value", "reason"),
    [
        ({"percent": 100}, {}, True, "STATIC"),
        ({"percent": 0}, {"targetingKey": "ana"}, False, "STATIC"),
        ({"tenants": {"acme": True}}, {"tenant": "acme"}, True, "TARGETING_MATCH"),
        ({"percent": 99}, {"targetingKey": "ana", "plan": {"seats": 3}}, True, "SPLIT"),
    ],
)
async def test_a_service_is_told_value_variant_and_reason(rules, context, value, reason):
    async with asked(await kept(**rules)) as bot:
        told = await bot.post(PATH, json={"context": context})
    assert told.status_code == 200
    assert told.json() == {
        "key": "new-cart",
        "value": value,
        "variant": "on" if value else "off",
        "reason": reason,
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (PATH.replace("new-cart", "other"), b"{}", 404, "FLAG_NOT_FOUND"),
        (PATH.replace("shop", "shopp"), b"{}", 404, "FLAG_NOT_FOUND"),
        (PATH, b"", 400, "TARGETING_KEY_MISSING"),
        (PATH, b'{"context": {}}', 400, "TARGETING_KEY_MISSING"),
        (PATH, b'{"context": {"targetingKey": 7}}', 400, "INVALID_CONTEXT"),
        (PATH, b'{"context": 7}', 400, "INVALID_CONTEXT"),
        (PATH, b"{not json", 400, "PARSE_ERROR"),
        (PATH, b" " * 20_001, 400, "PARSE_ERROR"),
    ],
)
async def test_what_cannot_be_told_has_the_code_of_the_protocol(path, body, status, code):
    async with asked(await kept(percent=50)) as bot:
        told = await bot.post(path, content=body)
    assert (told.status_code, told.json()["errorCode"]) == (status, code)


async def test_flags_that_cannot_be_read_are_an_error_and_not_off():
    flags = await kept(percent=100)
    flags.down = True
    async with asked(flags) as bot:
        told = await bot.post(PATH, json={})
    assert (told.status_code, told.json()) == (500, {"errorDetails": "The flags cannot be read."})


@pytest.mark.parametrize(("token", "status"), [("secret", 401), (None, 503)])
async def test_who_has_no_token_is_told_no_flag(token, status):
    async with asked(await kept(percent=100), token=token, given="Bearer wrong") as bot:
        told = await bot.post(PATH, json={})
    assert told.status_code == status
    assert "value" not in told.json()
