"""The bot's own actions and probes, done to the shop as an operator's runbook does them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from bot.adapters.files.catalogue_file import load_catalogue
from bot.domain.diagnoses.change import Change
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.probes import deploy as probes
from bot.testing.stores import memory_context, memory_stores
from demo.shop.shop import CATALOGUE, Shop
from tests.demo.open_shop import Listener, OpenShop
from tests.support.waiting import until


@dataclass
class Book:
    """What the bot wrote down of its changes."""

    changes: list[Change] = field(default_factory=list)

    async def record(self, change: Change) -> None:
        """Keep one change."""
        self.changes.append(change)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        """List those of a service, oldest first."""
        return tuple(change for change in self.changes if change.service == service)


@dataclass
class Operator:
    """Somebody with the bot's plugins at hand; each change is an effect of its own."""

    env: dict[str, str]
    http: httpx.AsyncClient
    book: Book = field(default_factory=Book)
    name: str = field(default_factory=lambda: uuid4().hex)
    done: int = 0

    def ctx(self, *, timeout_s: float = 20) -> Context:
        """Make a context with an effect that nothing was done under before."""
        self.done += 1
        return memory_context(
            catalogue=load_catalogue(CATALOGUE, self.env),
            http=self.http,
            stores=replace(memory_stores(), ledger=self.book),
            effect=Effect(key=f"{self.name}:deploy:{self.done}", epoch=1),
            timeout_s=timeout_s,
        )

    async def load(self, service: str) -> dict[str, Any]:
        """Read what the clients of a service saw."""
        answer = await self.http.get(f"{self.env['SHOP_CONTROL_URL']}/load/{service}")
        return dict(answer.raise_for_status().json())

    async def set_load(self, service: str, **values: float) -> None:
        """Change how many clients of a service there are, or how many of them have odd coupons."""
        address = f"{self.env['SHOP_CONTROL_URL']}/load/{service}"
        (await self.http.put(address, json=values)).raise_for_status()


@asynccontextmanager
async def operator_of(shop: Shop | dict[str, str]) -> AsyncIterator[Operator]:
    """Hire one; the shop's environment is enough to know it by."""
    env = shop.env if isinstance(shop, Shop) else shop
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        yield Operator(env, http)


class Holder(Listener):
    """Says, as the bot's lease address does, whether checkout's candidate may have traffic."""

    def __init__(self) -> None:
        self.holds = True
        self.token = "so many letters"
        self.asked: set[str] = set()
        holder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                holder.asked.add(self.path)
                may_ask = self.headers["Authorization"] == f"Bearer {holder.token}"
                self.send_response(401 if not may_ask else 200 if holder.holds else 503)
                self.end_headers()

        super().__init__(Handler)


async def answered(operator: Operator, version: str, service: str = "checkout") -> int:
    """How many questions a version has answered."""
    seen = (await operator.load(service))["by_version"].get(version, {})
    return int(seen.get("answered", 0))


async def until_answers(operator: Operator, version: str, *, more: int, service: str = "checkout") -> None:
    """Wait until a version has answered so many more."""
    before = await answered(operator, version, service)

    async def enough() -> bool:
        return await answered(operator, version, service) >= before + more

    await until(enough, what=f"{version} of {service} answers {more} more")


def broken(shop: OpenShop) -> list[str]:
    """List the requests that checkout did not carry out because of what was done to it.

    On a machine with too much to do the pool of connections to the database runs out by itself: checkout says so, and
    that does not count.
    """
    lines = shop.log_lines("storefront.jsonl")
    failures = [line["message"] for line in lines if line["event"] == "dependency_failed"]
    return [message for message in failures if "database" not in message and "in time" not in message]


async def observed(operator: Operator, service: str = "checkout") -> dict[str, Any]:
    """What the bot sees of a service."""
    return dict((await probes.observe(operator.ctx(), service=service)).data)


async def served(operator: Operator, **headers: str) -> str:
    """Which slot of checkout answers."""
    names = {"tenant": "X-Tenant", "canary": "X-Canary"}
    answer = await operator.http.get(
        f"{operator.env['SHOP_CHECKOUT_URL']}/stock/tea",
        headers={names[name]: text for name, text in headers.items()},
    )
    return answer.raise_for_status().headers["X-Served-By"]


async def order(operator: Operator, **cart: str) -> int:
    """Order at the canary."""
    body = {"sku": "tea", "quantity": 1, "country": "DE", **cart}
    answer = await operator.http.post(
        f"{operator.env['SHOP_CHECKOUT_URL']}/orders", json=body, headers={"X-Canary": "always"}
    )
    return answer.status_code


async def until_synced(operator: Operator, version: str) -> str:
    """Wait until Git asks for a version and that runs; gives the revision."""
    told: dict[str, Any] = {}

    async def synced() -> bool:
        told.update((await operator.http.get(f"{operator.env['SHOP_CONTROL_URL']}/sync")).json())
        return told["wanted"].get("search") == told["running"]["search"] == version

    await until(synced, what=f"search is synced to {version}")
    return str(told["revision"])


async def columns(dsn: str) -> set[str]:
    """The columns that `orders` has."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND NOT attisdropped"
        )
        return {row["attname"] for row in found}
    finally:
        await connection.close()
