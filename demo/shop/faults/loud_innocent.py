"""Loud innocent: storefront is deployed and fails loudest, but a setting of payments is what is wrong."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.bad_configuration import BadConfiguration
from demo.shop.faults.base import Parameters
from demo.shop.faults.log_storm import INNOCENT_RELEASE
from demo.shop.world import ShopWorld


class LoudInnocent:
    """The cause is two services below where it hurts; the latest deploy did no harm."""

    name: ClassVar[str] = "loud-innocent"
    title: ClassVar[str] = "Loud innocent"
    description: ClassVar[str] = (
        "Storefront 2.3.1 goes out, which is fine; at the same time payments/bank_timeout_ms goes from 2000 "
        "to 5, so that every charge fails and storefront, which buyers see, has the most errors of all."
    )
    cure: ClassVar[str] = "Set payments/bank_timeout_ms back to 2000; storefront must not be rolled back."

    def __init__(self) -> None:
        self._setting = BadConfiguration()

    async def begin(self, world: ShopWorld, parameters: Parameters) -> None:
        """Deploy the storefront and change the setting."""
        await world.fleet.deploy(
            "storefront", INNOCENT_RELEASE, author="aiko", summary="Deployed storefront 2.3.1: new footer"
        )
        await self._setting.begin(world, parameters)

    async def end(self, world: ShopWorld) -> None:
        """Change the setting back; the release stays, it is good."""
        await self._setting.end(world)

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the bad value is in force."""
        return await self._setting.hurts(world)
