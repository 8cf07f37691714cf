"""Payments: screens a charge and has the bank authorise it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from demo.shop.services.base import ServiceError, ShopService
from demo.shop.services.config import ServiceConfig
from demo.shop.services.dependency import Dependency
from demo.shop.services.sickness import FraudScreening

DECLINED = 402
SLOW_SCREENING_S = 0.05
BANKS = {"primary": "bank", "backup": "bank-backup"}
"""The setting ``bank`` and the dependency it chooses."""


class Payments:
    """The payments process."""

    def __init__(self, config: ServiceConfig) -> None:
        self.service = ShopService(config)
        self._journal = self.service.journal
        self._screening = FraudScreening()
        self._banks: dict[str, Dependency] = {}
        self.service.on_start(self._start)
        self.service.route("POST", "/charges", self._charge)
        self.service.fault_route("/fault/saturation", self._fall_sick)
        self.service.check("bank", self._check_bank)
        self.service.metrics.gauge(
            "fingerprint_cache_bytes", "Size of the cache of cards seen."
        ).set_function(lambda: float(self._screening.cached_bytes))

    async def _start(self) -> None:
        self._banks = {setting: self.service.dependency(name) for setting, name in BANKS.items()}

    def _bank(self) -> Dependency:
        setting = self.service.settings.text("bank")
        if setting not in self._banks:
            raise ServiceError(
                500, "no_such_bank", f"setting bank is {setting!r}, known are primary and backup"
            )
        return self._banks[setting]

    async def _check_bank(self) -> dict[str, Any]:
        try:
            bank = self._bank()
        except ServiceError as error:
            return {"ok": False, "error": str(error)}
        return {**await bank.check(), "using": bank.name}

    async def _charge(self, request: web.Request) -> web.Response:
        charge = await request.json()
        order, amount_cents = int(charge["order"]), int(charge["amount_cents"])
        if self.service.settings.flag("fraud_screening"):
            took_s = await self._screening.screen(order)
            if took_s > SLOW_SCREENING_S:
                self._journal.warn(
                    "screening_slow",
                    f"fraud screening of order {order} took {took_s * 1000:.0f} ms, "
                    f"budget is {SLOW_SCREENING_S * 1000:.0f} ms",
                    duration_ms=round(took_s * 1000),
                )
        bank = self._bank()
        status, answer = await bank.post(
            "/authorisations",
            {"reference": f"order-{order}", "amount_cents": amount_cents},
            timeout_s=self.service.settings.integer("bank_timeout_ms") / 1000,
        )
        if status == DECLINED:
            reason = answer.get("reason", "no reason given")
            raise ServiceError(DECLINED, "charge_declined", f"order {order}: {bank.name} declined: {reason}")
        self._journal.info(
            "charge_authorised",
            f"order {order}: {bank.name} authorised {amount_cents / 100:.2f} EUR",
            order=order,
        )
        return web.json_response({"authorisation": answer.get("authorisation")})

    async def _fall_sick(self, request: web.Request) -> web.Response:
        resource = (await request.json()).get("resource")
        if resource not in {"cpu", "memory"}:
            raise web.HTTPUnprocessableEntity(text="resource must be cpu or memory")
        self._screening.fall_sick(resource)
        return web.json_response({"resource": resource})


def build(config: ServiceConfig) -> ShopService:
    """Make the process's service."""
    return Payments(config).service
