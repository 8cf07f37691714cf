"""A balancer is told yes only while a lease is held and the candidate is well; every doubt is a no."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.domain.catalogue import Catalogue, Service
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryLeases
from bot.testing.stores import memory_stores
from tests.support.depths import operating
from tests.support.servers import answering, hanging, http_server
from tests.support.worlds import HandClock


class Kept(MemoryLeases):
    """Leases that can be out of reach, or slow to answer."""

    trouble = ""

    async def is_held(self, service: str) -> bool:
        if self.trouble == "down":
            raise ConnectionRefusedError
        if self.trouble == "slow":
            await asyncio.Event().wait()
        return await super().is_held(service)


@contextlib.asynccontextmanager
async def asked(
    leases: MemoryLeases, page: str, *, token: str | None = "secret", given: str = "Bearer secret"
) -> AsyncIterator[httpx.AsyncClient]:
    target = {"haproxy": {"candidate": "canary", "lease": page}}
    services = (Service(name="shop", target=target), Service(name="plain"))
    async with httpx.AsyncClient(timeout=60) as http:
        parts = WebParts(
            stores=replace(memory_stores(), leases=leases),
            clock=HandClock(),
            webhook_token=None,
            catalogue=Catalogue(services=services),
            operating=operating(MemoryStore().depth),
            lease_token=None if token is None else SecretStr(token),
            http=http,
        )
        transport = httpx.ASGITransport(app=web_app(parts))
        headers = {"authorization": given}
        async with httpx.AsyncClient(transport=transport, base_url="http://bot", headers=headers) as client:
            yield client


async def test_the_lease_must_be_held_and_the_candidate_well():
    leases = Kept()
    async with http_server({"/healthz": answering({})}) as url, asked(leases, f"{url}/healthz") as bot:
        told = await bot.get("/leases/shop/canary")
        assert (told.status_code, told.json()["error"]) == (503, "lease_lapsed")
        async with leases.hold("shop"):
            assert (await bot.get("/leases/shop/canary")).status_code == 200
        assert (await bot.get("/leases/shop/canary")).status_code == 503


@pytest.mark.parametrize("answer", [answering({}, status=503), hanging])
async def test_a_held_lease_does_not_hide_a_candidate_that_is_not_well(answer):
    leases = Kept()
    async with (
        http_server({"/healthz": answer}) as url,
        asked(leases, f"{url}/healthz") as bot,
        leases.hold("shop"),
    ):
        told = await bot.get("/leases/shop/canary")
        assert (told.status_code, told.json()["error"]) == (503, "candidate_unhealthy")


@pytest.mark.parametrize("trouble", ["down", "slow"])
async def test_a_lease_that_cannot_be_read_is_a_no(trouble):
    leases = Kept()
    async with (
        http_server({"/healthz": answering({})}) as url,
        asked(leases, f"{url}/healthz") as bot,
        leases.hold("shop"),
    ):
        leases.trouble = trouble
        assert (await bot.get("/leases/shop/canary")).status_code == 503


@pytest.mark.parametrize("path", ["shop/blue", "plain/canary", "unknown/canary"])
async def test_a_server_that_hangs_on_no_lease_is_not_found(path):
    leases = Kept()
    async with asked(leases, "http://127.0.0.1:9/healthz") as bot, leases.hold("shop"):
        assert (await bot.get(f"/leases/{path}")).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer secre", "Bearer secrets", "Basic secret"])
async def test_who_has_no_token_is_told_nothing_and_asks_no_candidate(given):
    leases, pages = Kept(), []

    async def page(request: web.Request) -> web.Response:
        pages.append(request.path)
        return web.json_response({})

    async with (
        http_server({"/healthz": page}) as url,
        asked(leases, f"{url}/healthz", given=given) as bot,
        leases.hold("shop"),
    ):
        for path in ("shop/canary", "shop/blue", "unknown/canary"):
            told = await bot.get(f"/leases/{path}")
            assert (told.status_code, told.json()["error"]) == (401, "lease_token_wrong")
    assert pages == []


async def test_without_a_token_in_the_settings_no_lease_is_answered():
    leases = Kept()
    async with asked(leases, "http://127.0.0.1:9/healthz", token=None) as bot, leases.hold("shop"):
        told = await bot.get("/leases/shop/canary")
    assert (told.status_code, told.json()["error"]) == (503, "lease_token_missing")
