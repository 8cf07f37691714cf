"""The bot's own actions and probes, done to the shop as an operator's runbook does them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from bot.adapters.catalogue_file import load_catalogue
from bot.domain.change import Change
from bot.domain.clock import SystemClock
from bot.domain.effect import Effect
from bot.engine.plugins import Context
from demo.shop import CATALOGUE, Shop


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
        return Context(
            run_id="run1",
            step_id="step1",
            timeout_s=timeout_s,
            clock=SystemClock(),
            http=self.http,
            catalogue=load_catalogue(CATALOGUE, self.env),
            ledger=self.book,
            effect=Effect(key=f"{self.name}:deploy:{self.done}", epoch=1),
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
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        yield Operator(env, http)
