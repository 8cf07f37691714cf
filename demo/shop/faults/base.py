"""What a fault is, and the board on which all of them are switched on and off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from demo.shop.clock import iso, utc_now
from demo.shop.errors import RefusedError
from demo.shop.world import ShopWorld

Parameters = Mapping[str, Any]


class Fault(Protocol):
    """One kind of trouble."""

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    """What happens, in one sentence."""
    cure: ClassVar[str]
    """What an operator would do about it, in one sentence."""

    async def begin(self, world: ShopWorld, parameters: Parameters) -> None:
        """Make the shop sick.

        Raises:
            RefusedError: a parameter makes no sense (422).
        """
        ...

    async def end(self, world: ShopWorld) -> None:
        """Undo it, whether or not it has been cured."""
        ...

    async def hurts(self, world: ShopWorld) -> bool:
        """Return whether its effect is still there."""
        ...


@dataclass
class _Switch:
    since: datetime | None = None


class FaultBoard:
    """Every fault with its switch; one is turned at a time."""

    def __init__(self, faults: Sequence[Fault], world: ShopWorld) -> None:
        self._faults = {fault.name: fault for fault in faults}
        self._switches = {fault.name: _Switch() for fault in faults}
        self._world = world
        self._turning = asyncio.Lock()

    async def to_json(self) -> list[dict[str, Any]]:
        """Write all faults as the API hands them out."""
        return [await self.describe(name) for name in self._faults]

    async def describe(self, name: str) -> dict[str, Any]:
        """Write one fault: its state is ``off``, ``on``, or ``cured`` when its effect was undone.

        Raises:
            RefusedError: no such fault (404).
        """
        fault, since = self._get(name), self._switches[name].since
        state = "off"
        if since is not None:
            state = "on" if await fault.hurts(self._world) else "cured"
        return {
            "name": fault.name,
            "title": fault.title,
            "description": fault.description,
            "cure": fault.cure,
            "state": state,
            "since": iso(since) if since else None,
        }

    async def switch_on(self, name: str, parameters: Parameters) -> dict[str, Any]:
        """Begin a fault; one that is already on stays as it is.

        Raises:
            RefusedError: no such fault (404), or parameters it does not understand (422).
        """
        fault, switch = self._get(name), self._switches[name]
        async with self._turning:
            if switch.since is None or not await fault.hurts(self._world):
                at = utc_now()
                await fault.begin(self._world, parameters)
                switch.since = at
        return await self.describe(name)

    async def switch_off(self, name: str) -> dict[str, Any]:
        """End a fault; one that is off stays off.

        Raises:
            RefusedError: no such fault (404).
        """
        fault, switch = self._get(name), self._switches[name]
        async with self._turning:
            if switch.since is not None:
                await fault.end(self._world)
                switch.since = None
        return await self.describe(name)

    async def reset(self) -> list[dict[str, Any]]:
        """End all faults."""
        return [await self.switch_off(name) for name in self._faults]

    def _get(self, name: str) -> Fault:
        if name not in self._faults:
            known = ", ".join(self._faults)
            raise RefusedError(404, "unknown_fault", f"Unknown fault: {name}. Known faults: {known}.")
        return self._faults[name]
