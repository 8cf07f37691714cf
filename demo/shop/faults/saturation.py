"""Saturation: payments burns its processor, or leaks memory until it sheds load."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.errors import RefusedError
from demo.shop.faults.base import Parameters
from demo.shop.world import ShopWorld

UNIT = "payments"


class Saturation:
    """A sick process is the cause; the cure is to restart it."""

    name: ClassVar[str] = "saturation"
    title: ClassVar[str] = "Saturation"
    description: ClassVar[str] = (
        "Fraud screening in payments goes slow and burns most of a processor (or, with resource=memory, "
        "leaks until the process is at its limit); charges queue, time out and are shed."
    )
    cure: ClassVar[str] = "Restart payments."

    def __init__(self) -> None:
        self._pid: int | None = None

    async def begin(self, world: ShopWorld, parameters: Parameters) -> None:
        """Make the process sick; ``resource`` is ``cpu`` (the default) or ``memory``."""
        resource = parameters.get("resource", "cpu")
        if resource not in {"cpu", "memory"}:
            raise RefusedError(422, "bad_parameter", "resource is cpu or memory.")
        await world.fleet.make_sick(UNIT, "saturation", {"resource": resource})
        self._pid = world.fleet.pid(UNIT)

    async def end(self, world: ShopWorld) -> None:
        """Restart the process unless it has been restarted."""
        if await self.hurts(world):
            await world.fleet.restart("payments", author="mira")
        self._pid = None

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the sick process still runs."""
        return self._pid is not None and world.fleet.pid(UNIT) == self._pid
