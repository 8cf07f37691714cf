"""Storefront: what buyers see; it shows articles and hands carts to checkout."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from demo.shop.services.base import ServiceError, ShopService
from demo.shop.services.config import ServiceConfig
from demo.shop.services.dependency import Dependency

CHECKOUT_TIMEOUT_S = 4.0
DECLINED = 402
DEPRECATED_HEADERS = ("X-Client-Hint", "X-Requested-From", "X-Viewport", "X-Device-Class", "X-Locale-Hint")


class Storefront:
    """The storefront process."""

    def __init__(self, config: ServiceConfig) -> None:
        self.service = ShopService(config)
        self._journal = self.service.journal
        self._checkout: Dependency | None = None
        self.service.on_start(self._start)
        self.service.route("GET", "/", self._home)
        self.service.route("GET", "/articles/{sku}", self._article)
        self.service.route("POST", "/buy", self._buy)
        self.service.check("checkout", self._check_checkout)

    async def _start(self) -> None:
        self._checkout = self.service.dependency("checkout")

    async def _check_checkout(self) -> dict[str, Any]:
        return await self._peer().check()

    async def _home(self, request: web.Request) -> web.Response:
        agent = request.headers.get("User-Agent", "")
        for header in DEPRECATED_HEADERS:
            if header in request.headers:
                self._journal.warn(
                    "deprecated_header",
                    f"client {agent} sends the deprecated header {header}; it is ignored",
                    header=header,
                )
        return web.json_response({"banner": self.service.settings.text("banner")})

    async def _article(self, request: web.Request) -> web.Response:
        sku = request.match_info["sku"]
        status, answer = await self._peer().get(f"/stock/{sku}", timeout_s=CHECKOUT_TIMEOUT_S)
        return web.json_response(answer, status=status)

    async def _buy(self, request: web.Request) -> web.Response:
        cart = await request.json()
        if not self.service.settings.flag("express_checkout"):
            # The long way: the buyer sees the article once more before the order goes out.
            await self._peer().get(f"/stock/{cart['sku']}", timeout_s=CHECKOUT_TIMEOUT_S)
        status, answer = await self._peer().post("/orders", cart, timeout_s=CHECKOUT_TIMEOUT_S)
        if status == DECLINED:
            raise ServiceError(
                DECLINED, "purchase_declined", "purchase declined: the buyer's card was declined"
            )
        if status >= 400:  # noqa: PLR2004  # HTTP's own line between good and bad
            raise ServiceError(status, "purchase_refused", f"purchase refused: {answer.get('error')}")
        self._journal.info(
            "purchase_completed", f"purchase completed: order {answer['order']}", order=answer["order"]
        )
        return web.json_response(answer, status=201)

    def _peer(self) -> Dependency:
        if self._checkout is None:
            raise RuntimeError("The service has not started yet.")
        return self._checkout


def build(config: ServiceConfig) -> ShopService:
    """Make the process's service."""
    return Storefront(config).service
