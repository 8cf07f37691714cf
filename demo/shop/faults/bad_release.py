"""Bad release: checkout 1.4.2 cannot tax orders from outside the Union."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.base import Parameters
from demo.shop.services.tax import BROKEN_RELEASE
from demo.shop.world import ShopWorld


class BadRelease:
    """A deploy is the cause; the cure is to roll it back."""

    name: ClassVar[str] = "bad-release"
    title: ClassVar[str] = "Bad release"
    description: ClassVar[str] = (
        "Checkout 1.4.2 is deployed; its new tax code fails about a third of all orders with a KeyError."
    )
    cure: ClassVar[str] = "Roll checkout back: give the stable server all traffic again."

    async def begin(self, world: ShopWorld, _: Parameters) -> None:
        """Deploy the broken release to the candidate and give it all traffic."""
        await world.fleet.deploy(
            "checkout", BROKEN_RELEASE, author="jonas", summary="Deployed checkout 1.4.2: tax rates by region"
        )

    async def end(self, world: ShopWorld) -> None:
        """Return all traffic to the stable server."""
        await world.fleet.roll_back(author="jonas")

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether any traffic reaches the broken release."""
        servers = await world.haproxy.servers()
        return any(
            server.weight > 0 and world.fleet.unit_version(f"checkout-{server.name}") == BROKEN_RELEASE
            for server in servers.values()
        )
