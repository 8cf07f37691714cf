"""The state of the whole shop in one object."""

from __future__ import annotations

import asyncio
from typing import Any

from demo.shop.clock import iso, utc_now
from demo.shop.errors import ShopError
from demo.shop.faults.base import FaultBoard
from demo.shop.haproxy import live
from demo.shop.world import ShopWorld

DEPENDS_ON = {
    "storefront": ["checkout"],
    "checkout": ["payments", "database"],
    "payments": ["bank"],
}


async def status(world: ShopWorld, board: FaultBoard, *, with_history: bool) -> dict[str, Any]:
    """Look at everything; what cannot be read is none, never an error."""
    try:
        servers = await world.haproxy.servers()
    except ShopError:
        servers = {}
    slot = live(servers)
    watched = [unit for unit in world.fleet.units if not unit.light]
    firing, faults, *ready = await asyncio.gather(
        world.monitoring.firing(),
        board.to_json(),
        *(world.fleet.readiness(unit.name) for unit in watched),
    )
    units = {
        unit.name: {
            "service": unit.service,
            "slot": unit.slot,
            "version": world.fleet.unit_version(unit.name),
            "pid": world.fleet.pid(unit.name),
            "live": unit.slot in {"", slot},
            "ready": answer.get("status") == "ok",
            "dependencies": answer.get("dependencies", {}),
        }
        for unit, answer in zip(watched, ready, strict=True)
    }
    result: dict[str, Any] = {
        "at": iso(utc_now()),
        "services": [
            {"name": unit["service"], **unit, "settings": world.settings.of_service(str(unit["service"]))}
            for unit in units.values()
            if unit["live"]
        ],
        "processes": units,
        "depends_on": DEPENDS_ON,
        "weights": {server.name: server.weight for server in servers.values()},
        "servers_up": {server.name: server.up for server in servers.values()},
        "faults": faults,
        "load": world.load.to_json(),
        "alerts": firing,
    }
    if with_history:
        result["history"] = world.load.history()
        result["changes"] = [change.to_json() for change in world.ledger.since(None)[-8:]]
    return result
