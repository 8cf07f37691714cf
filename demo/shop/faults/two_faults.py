"""Two faults: a bad release of checkout, and a timeout of payments that is too short."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.bad_configuration import KEY, SERVICE
from demo.shop.faults.bad_release import BadRelease
from demo.shop.faults.base import Parameters
from demo.shop.settings import DEFINITIONS
from demo.shop.world import ShopWorld

TIGHT_VALUE_MS = 32
"""Banks take 20 to 40 ms, so that neither fault hides the other."""


class TwoFaults:
    """Two causes at once; each cure fixes its own share."""

    name: ClassVar[str] = "two-faults"
    title: ClassVar[str] = "Two faults at once"
    description: ClassVar[str] = (
        "The setting payments/bank_timeout_ms goes from 2000 to 32, too short for about every other charge; "
        "then checkout 1.4.2 is deployed, which fails about a third of all orders with a KeyError."
    )
    cure: ClassVar[str] = "Set payments/bank_timeout_ms back to 2000, and roll checkout back."

    def __init__(self) -> None:
        self._release = BadRelease()

    async def begin(self, world: ShopWorld, parameters: Parameters) -> None:
        """Change the setting, then deploy."""
        world.settings.put(SERVICE, KEY, TIGHT_VALUE_MS, author="mira", reason="the bank is fast enough")
        await self._release.begin(world, parameters)

    async def end(self, world: ShopWorld) -> None:
        """Undo both."""
        world.settings.put(SERVICE, KEY, DEFINITIONS[SERVICE][KEY].default, author="mira", reason="restored")
        await self._release.end(world)

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether either is still there."""
        tight = world.settings.get(SERVICE, KEY).value == TIGHT_VALUE_MS
        return tight or await self._release.hurts(world)
