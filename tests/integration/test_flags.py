"""A service of the shop asks the bot's own `web` for its flag, kept in a real store, by OpenFeature's protocol."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.adapters.redis.stores.flags import RedisFlags
from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.flag import Flag, bucket
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from demo.shop.services.config import ServiceConfig
from tests.support.depths import operating
from tests.support.servers import free_port
from tests.support.valkeys import fresh_store
from tests.support.waiting import until
from tests.support.worlds import HandClock

pytestmark = pytest.mark.server
USERS = [f"user-{number}" for number in range(100)]


@contextlib.asynccontextmanager
async def web_of(flags: RedisFlags) -> AsyncIterator[str]:
    parts = WebParts(
        stores=replace(memory_stores(), flags=flags),
        clock=HandClock(),
        webhook_token=None,
        catalogue=Catalogue(services=(Service(name="search"),)),
        operating=operating(MemoryStore().depth),
        flags_token=SecretStr("secret"),
    )
    port = free_port()
    config = uvicorn.Config(web_app(parts), host="127.0.0.1", port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}/flags"
    finally:
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def search(
    flags_url: str, *, feature: str, token: str = "secret"
) -> AsyncIterator[httpx.AsyncClient]:  # of nothing
    config = ServiceConfig(
        name="search",
        version="0.9.1",
        port=free_port(),
        log_path="",
        urls={"flags": f"{flags_url}/search"},
        feature=feature,
        flags_token=token,
    )
    environment = {**os.environ, **config.to_environment()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo.shop.services.light", env=environment
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{config.port}") as client:
            await until_well(client)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def until_well(client: httpx.AsyncClient) -> None:
    async def well() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return (await client.get("/healthz")).is_success
        return False

    await until(well, what="a service that is well")


async def who_has_it(client: httpx.AsyncClient) -> set[str]:
    answers = {user: await client.get("/", headers={"X-User": user}) for user in USERS}
    return {user for user, answer in answers.items() if "X-Feature" in answer.headers}


async def test_exactly_the_people_of_the_percentage_have_the_feature_and_a_ramp_only_adds():
    async with fresh_store() as store:
        flags = RedisFlags(store)
        async with web_of(flags) as url, search(url, feature="by-taste") as client:
            assert await who_has_it(client) == set()  # it was never set
            for percent in (20, 60):
                await flags.put("search", Flag(key="by-taste", percent=percent), run_id="r", epoch=1)
                assert await who_has_it(client) == {u for u in USERS if bucket("by-taste", u) < percent}
            await flags.put("search", Flag(key="by-taste", percent=0), run_id="r", epoch=1)
            assert await who_has_it(client) == set()


async def test_what_a_bad_feature_fails_is_counted_apart_from_those_who_do_not_have_it():
    async with fresh_store() as store:
        flags = RedisFlags(store)
        await flags.put("search", Flag(key="by-colour", percent=50), run_id="r", epoch=1)
        async with web_of(flags) as url, search(url, feature="by-colour") as client:
            failed: Counter[bool] = Counter()
            for user in USERS:
                answer = await client.get("/", headers={"X-User": user})
                failed["X-Feature" in answer.headers] += answer.is_server_error
            assert failed[True] > 0
            assert failed[False] == 0
            told = (await client.get("/metrics")).text
    own = f'feature="by-colour",version="by-colour",outcome="failed"}} {failed[True]}\n'
    assert own in told
    assert 'feature="by-colour",version="off",outcome="failed"} 0\n' in told


async def test_nobody_has_a_feature_while_the_flags_cannot_be_had():
    async with fresh_store() as store:
        flags = RedisFlags(store)
        await flags.put("search", Flag(key="by-taste", percent=100), run_id="r", epoch=1)
        async with web_of(flags) as url, search(url, feature="by-taste", token="wrong") as client:
            assert await who_has_it(client) == set()
    async with search(f"http://127.0.0.1:{free_port()}", feature="by-taste") as client:
        assert await who_has_it(client) == set()
