"""A bank outside the shop: authorises charges, and can be made to accept and never answer."""

from __future__ import annotations

import asyncio
import random
import secrets

from aiohttp import web

from demo.shop.services.base import Handler, ShopService
from demo.shop.services.config import ServiceConfig

DECLINED = 402
DECLINED_SHARE = 0.01
LATENCY_S = (0.02, 0.04)


class Bank:
    """One bank's process."""

    def __init__(self, config: ServiceConfig) -> None:
        self.service = ShopService(config)
        self._answering = asyncio.Event()
        self._answering.set()
        self.service.route("POST", "/authorisations", self._authorise)
        self.service.fault_route("/fault/hang", self._hang)
        self.service.app.middlewares.append(self._wait)

    @web.middleware
    async def _wait(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(("/fault/", "/metrics")):
            await self._answering.wait()
        return await handler(request)

    async def _authorise(self, request: web.Request) -> web.Response:
        charge = await request.json()
        await asyncio.sleep(random.uniform(*LATENCY_S))
        if random.random() < DECLINED_SHARE:
            self.service.journal.info("declined", f"{charge['reference']} declined: insufficient funds")
            return web.json_response({"reason": "insufficient funds"}, status=DECLINED)
        return web.json_response({"authorisation": secrets.token_hex(6)})

    async def _hang(self, request: web.Request) -> web.Response:
        hang = bool((await request.json()).get("hang"))
        if hang:
            self._answering.clear()
        else:
            self._answering.set()
        return web.json_response({"hang": hang})


def build(config: ServiceConfig) -> ShopService:
    """Make the process's service."""
    return Bank(config).service
