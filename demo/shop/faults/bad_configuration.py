"""Bad configuration: payments waits only five milliseconds for the bank."""

from __future__ import annotations

from typing import ClassVar

from demo.shop.faults.base import Parameters
from demo.shop.settings import DEFINITIONS
from demo.shop.world import ShopWorld

SERVICE, KEY = "payments", "bank_timeout_ms"
BAD_VALUE_MS = 5


class BadConfiguration:
    """A setting is the cause; the cure is its value before."""

    name: ClassVar[str] = "bad-configuration"
    title: ClassVar[str] = "Bad configuration"
    description: ClassVar[str] = (
        "The setting payments/bank_timeout_ms goes from 2000 to 5: no bank is that fast, so every charge "
        "fails. Nothing was deployed."
    )
    cure: ClassVar[str] = "Set payments/bank_timeout_ms back to 2000."

    async def begin(self, world: ShopWorld, _: Parameters) -> None:
        """Change the setting."""
        world.settings.put(
            SERVICE, KEY, BAD_VALUE_MS, author="mira", reason="fail faster when the bank is slow"
        )

    async def end(self, world: ShopWorld) -> None:
        """Change it back."""
        world.settings.put(SERVICE, KEY, DEFINITIONS[SERVICE][KEY].default, author="mira", reason="restored")

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether the bad value is in force."""
        return world.settings.get(SERVICE, KEY).value == BAD_VALUE_MS
