"""The part of the bot that a dead-man switch is about: it holds a lease and answers the health check.

``python -m bench.rollouts.bot <Redis URL> <port> <candidate's health page>``: both in one process, so that
one signal ends or stops both.  A last word, ``holds`` or ``answers``, has it do one of the two only.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import httpx
import uvicorn
from pydantic import SecretStr

from bot.adapters.http.app import web_app
from bot.adapters.http.base import WebParts
from bot.adapters.observability.health import Health
from bot.adapters.observability.meters import Meters
from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.leases import RedisLeases
from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import SystemClock
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores

TOKEN = "any-will-do"  # noqa: S105  # of nothing but this floor
"""What HAProxy sends with its question."""


async def hold(url: str) -> None:
    """Hold the lease of ``shop``, until killed."""
    async with RedisLeases(connect(url)).hold("shop"):
        await asyncio.Event().wait()


async def answer(url: str, port: int, page: str) -> None:
    """Serve the health check, until killed."""
    store = connect(url)
    target = {"haproxy": {"candidate": "canary", "lease": page}}
    memory = MemoryStore()
    async with httpx.AsyncClient() as http:
        parts = WebParts(
            stores=replace(memory_stores(store=memory), leases=RedisLeases(store)),
            clock=SystemClock(),
            webhook_token=None,
            catalogue=Catalogue(services=(Service(name="shop", target=target),)),
            operating=Health(meters=Meters(), ping=store.client.ping, depths=memory.depth, most_lag_s=10),
            lease_token=SecretStr(TOKEN),
            http=http,
        )
        config = uvicorn.Config(web_app(parts), host="127.0.0.1", port=port, log_config=None, lifespan="off")
        await uvicorn.Server(config).serve()


async def main(url: str, port: str, page: str, role: str = "") -> None:
    """Do what is asked for."""
    async with asyncio.TaskGroup() as group:
        if role != "answers":
            group.create_task(hold(url))
        if role != "holds":
            group.create_task(answer(url, int(port), page))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
