"""Checkout: prices a cart, reserves its stock and has it paid."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from aiohttp import web

from demo.shop.services.base import Handler, ServiceError, ShopService
from demo.shop.services.config import ServiceConfig
from demo.shop.services.dependency import Dependency, DependencyError
from demo.shop.services.orders import POOL_SIZE, RESTOCK_BELOW, Orders
from demo.shop.services.releases import release_of
from demo.shop.services.tax import COUNTRIES, rate_of_release, with_tax

DECLINED = 402
_POOL_REPORT_S = 15


class GiftWrapError(Exception):
    """What releases with a fault in their gift wrapping stumble over."""


class CouponError(Exception):
    """What releases with a fault in their coupons stumble over."""


class Checkout:
    """One process of checkout, at one version."""

    def __init__(self, config: ServiceConfig) -> None:
        self.service = ShopService(config)
        self._journal = self.service.journal
        self._rate = rate_of_release(config.version)
        self._release = release_of("checkout", config.version)
        self.service.well = self._release.comes_up
        self._orders = Orders(config.dsn, application_name=f"checkout-{config.slot}", release=self._release)
        self._payments: Dependency | None = None
        self.service.on_start(self._start)
        self.service.on_stop(self._orders.close)
        self.service.route("POST", "/orders", self._as_released(self._order))
        self.service.route("GET", "/stock/{sku}", self._as_released(self._stock))
        self.service.check("database", self._orders.check)
        self.service.check("payments", self._check_payments)
        metrics = self.service.metrics
        metrics.gauge("db_pool_connections_max", "Most connections the pool may open.").set(POOL_SIZE)
        metrics.gauge("db_pool_connections_in_use", "Connections of the pool that are busy.").set_function(
            lambda: float(self._orders.in_use)
        )
        metrics.gauge(
            "db_pool_acquire_timeouts", "How often no connection became free in time."
        ).set_function(lambda: float(self._orders.refused))

    def _as_released(self, handler: Handler) -> Handler:
        """Add what the release is like: some of its answers fail, and all may take longer."""

        async def released(request: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            try:
                if random.random() < self._release.error_share:
                    raise GiftWrapError("the cart has no gift wrapping")
                return await handler(request)
            finally:
                took_s = time.perf_counter() - started
                await asyncio.sleep(took_s * (self._release.slowness - 1))

        return released

    async def _start(self) -> None:
        await self._orders.open()
        self._payments = self.service.dependency("payments")
        self.service.background(self._report_pool())

    async def _report_pool(self) -> None:
        while True:
            await asyncio.sleep(_POOL_REPORT_S)
            in_use = self._orders.in_use
            self._journal.info("pool_report", f"database pool: {in_use} of {POOL_SIZE} connections in use")

    async def _check_payments(self) -> dict[str, Any]:
        return await self._peer().check()

    async def _stock(self, request: web.Request) -> web.Response:
        price_cents, available = await self._orders.price_cents(request.match_info["sku"])
        return web.json_response({"price_cents": price_cents, "available": available})

    async def _order(self, request: web.Request) -> web.Response:
        cart = await request.json()
        sku, quantity, country = str(cart["sku"]), int(cart["quantity"]), str(cart["country"])
        most = self.service.settings.integer("max_cart_items")
        if not 1 <= quantity <= most:
            raise ServiceError(
                422, "cart_refused", f"cart refused: {quantity} articles, at most {most} are allowed"
            )
        if country not in COUNTRIES:
            raise ServiceError(422, "country_refused", f"no delivery to {country}")
        price_cents, _ = await self._orders.price_cents(sku)
        if (coupon := str(cart.get("coupon", ""))) in self._release.broken_coupons:
            raise CouponError(f"no rule for the coupon {coupon}")
        total_cents = with_tax(price_cents * quantity, country, self._rate)
        number, left = await self._orders.reserve(
            sku,
            quantity=quantity,
            total_cents=total_cents,
            country=country,
            contact=str(cart.get("contact", "")),
        )
        if left < RESTOCK_BELOW:
            self._journal.warn(
                "stock_low", f"only {left} of {sku} left, ordering more", sku=sku, available=left
            )
            await self._orders.restock(sku)
        status = await self._pay(number, sku, quantity=quantity, total_cents=total_cents)
        if status == DECLINED:
            raise ServiceError(DECLINED, "card_declined", f"order {number}: the card was declined")
        await self._orders.finish(number, state="paid")
        self._journal.info(
            "order_placed",
            f"order {number} placed: {quantity} x {sku} to {country} for {total_cents / 100:.2f} EUR",
            order=number,
        )
        return web.json_response({"order": number, "total_cents": total_cents}, status=201)

    async def _pay(self, number: int, sku: str, *, quantity: int, total_cents: int) -> int:
        timeout_s = self.service.settings.integer("payments_timeout_ms") / 1000
        body = {"order": number, "amount_cents": total_cents}
        try:
            status, _ = await self._peer().post("/charges", body, timeout_s=timeout_s)
        except DependencyError:
            await self._orders.release(number, sku, quantity=quantity)
            raise
        if status == DECLINED:
            await self._orders.release(number, sku, quantity=quantity)
        return status

    def _peer(self) -> Dependency:
        if self._payments is None:
            raise RuntimeError("The service has not started yet.")
        return self._payments


def build(config: ServiceConfig) -> ShopService:
    """Make the process's service."""
    return Checkout(config).service
