"""Starts and stops versions in the slots of services, as a deployment asks; it shifts no traffic."""

from __future__ import annotations

from typing import Any

from demo.shop.errors import RefusedError
from demo.shop.fleet import Fleet
from demo.shop.services.releases import RELEASES
from demo.shop.units import Unit


class ShopLauncher:
    """What runs behind which server of HAProxy; HAProxy decides whether it gets traffic."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._slots = {(unit.address or unit.service, unit.slot): unit for unit in fleet.units if unit.slot}

    async def state(self, service: str, server: str) -> dict[str, Any]:
        """Return what runs in a slot: ``running``, ``starting`` while it is not well yet, or ``stopped``.

        Raises:
            RefusedError: no such slot (404).
        """
        unit = self._unit(service, server)
        state = "stopped"
        if not self._fleet.halted(unit.name):
            state = "running" if await self._fleet.healthy(unit.name) else "starting"
        version = "" if state == "stopped" else self._fleet.unit_version(unit.name)
        return {"service": service, "server": server, "version": version, "state": state}

    def releases(self, service: str) -> dict[str, Any]:
        """Return the releases that can be started in the slots of a service.

        Raises:
            RefusedError: no such service (404).
        """
        unit = next((unit for (address, _), unit in self._slots.items() if address == service), None)
        if unit is None:
            raise RefusedError(404, "unknown_service", f"Unknown service: {service}.")
        return {"service": service, "releases": [*RELEASES[unit.service]]}

    async def launch(self, service: str, server: str, version: str) -> dict[str, Any]:
        """Start ``version`` in a slot in place of what runs there, and do not wait until it is well.

        A slot that runs ``version`` already goes on undisturbed.

        Raises:
            RefusedError: no such slot (404), or no such release (422).
        """
        unit = self._unit(service, server)
        known = RELEASES[unit.service]
        if version not in known:
            message = f"Unknown release: {unit.service} {version}. Known releases: {', '.join(known)}."
            raise RefusedError(422, "unknown_version", message)
        if self._fleet.halted(unit.name) or self._fleet.unit_version(unit.name) != version:
            await self._fleet.launch(unit.name, version)
        return await self.state(service, server)

    async def halt(self, service: str, server: str) -> dict[str, Any]:
        """Stop what runs in a slot.

        Raises:
            RefusedError: no such slot (404).
        """
        await self._fleet.halt(self._unit(service, server).name)
        return await self.state(service, server)

    def _unit(self, service: str, server: str) -> Unit:
        unit = self._slots.get((service, server))
        if unit is None:
            known = ", ".join(f"{address}/{slot}" for address, slot in self._slots)
            raise RefusedError(
                404, "unknown_slot", f"Unknown slot: {service}/{server}. Known slots: {known}."
            )
        return unit
