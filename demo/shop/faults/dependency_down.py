"""Dependency down: the primary bank accepts requests and never answers."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.base import Parameters
from demo.shop.world import ShopWorld


class DependencyDown:
    """A service outside the shop is the cause; the cure is to use the other bank."""

    name: ClassVar[str] = "dependency-down"
    title: ClassVar[str] = "Dependency down"
    description: ClassVar[str] = (
        "The primary bank accepts charges and never answers; payments runs into its timeout."
    )
    cure: ClassVar[str] = "Set payments/bank to backup."

    async def begin(self, world: ShopWorld, _: Parameters) -> None:
        """Make the bank hang."""
        await world.fleet.make_sick("bank", "hang", {"hang": True})

    async def end(self, world: ShopWorld) -> None:
        """Make the bank answer, and use it again."""
        await world.fleet.make_sick("bank", "hang", {"hang": False})
        world.settings.put("payments", "bank", "primary", author="mira", reason="the primary bank is back")

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether payments still asks the bank that hangs."""
        return world.settings.get("payments", "bank").value == "primary"
