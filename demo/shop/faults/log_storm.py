"""Log storm: a crawler is noisy just when the storefront is deployed; nothing fails."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.base import Parameters
from demo.shop.world import ShopWorld

INNOCENT_RELEASE = "2.3.1"


class LogStorm:
    """Nothing is wrong: neither the lines nor the deploy do any harm."""

    name: ClassVar[str] = "log-storm"
    title: ClassVar[str] = "Harmless log storm"
    description: ClassVar[str] = (
        "Storefront 2.3.1 goes out, which is fine, and at the same time a crawler makes it write fifty times "
        "as many lines about a deprecated header. Nothing fails."
    )
    cure: ClassVar[str] = "None is needed; the deploy must not be blamed."

    async def begin(self, world: ShopWorld, _: Parameters) -> None:
        """Deploy the storefront and let the crawler loose."""
        await world.fleet.deploy(
            "storefront", INNOCENT_RELEASE, author="aiko", summary="Deployed storefront 2.3.1: new footer"
        )
        world.load.storm = True

    async def end(self, world: ShopWorld) -> None:
        """Calm the crawler; the release stays, it is good."""
        world.load.storm = False

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the crawler is still noisy."""
        return world.load.storm
