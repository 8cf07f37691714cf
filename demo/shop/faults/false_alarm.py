"""False alarm: Alertmanager is handed an alert about a checkout that is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from demo.shop.clock import utc_now
from demo.shop.errors import RefusedError
from demo.shop.faults.base import Parameters
from demo.shop.world import ShopWorld

DURATION_S = 120
MOST_S = 3600

LABELS = {"alertname": "CheckoutHighErrorRate", "service": "checkout", "severity": "page"}
ANNOTATIONS = {
    "summary": "checkout fails 7.1% of its requests",
    "description": "checkout answers more than 5 % of requests with 5xx; buyers see errors.",
}


class FalseAlarm:
    """Nothing is wrong: only the alert is there."""

    name: ClassVar[str] = "false-alarm"
    title: ClassVar[str] = "False alarm"
    description: ClassVar[str] = (
        "An alert reports that checkout fails, but nothing is wrong; it ends after two minutes."
    )
    cure: ClassVar[str] = "None is needed."

    def __init__(self) -> None:
        self._starts: datetime | None = None
        self._ends: datetime | None = None

    async def begin(self, world: ShopWorld, parameters: Parameters) -> None:
        """Push the alert; it ends after ``seconds`` (120)."""
        seconds = parameters.get("seconds", DURATION_S)
        if type(seconds) is not int or not 1 <= seconds <= MOST_S:
            raise RefusedError(422, "bad_parameter", f"seconds must be a whole number from 1 to {MOST_S}.")
        self._starts = utc_now()
        self._ends = self._starts + timedelta(seconds=seconds)
        await self._push(world, self._starts, self._ends)

    async def end(self, world: ShopWorld) -> None:
        """Resolve the alert unless it has already ended."""
        if self._starts is not None and await self.hurts(world):
            await self._push(world, self._starts, utc_now())
        self._starts = self._ends = None

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the alert is still active."""
        del world
        return self._ends is not None and utc_now() < self._ends

    async def _push(self, world: ShopWorld, starts_at: datetime, ends_at: datetime) -> None:
        await world.monitoring.push(LABELS, ANNOTATIONS, starts_at=starts_at, ends_at=ends_at)
