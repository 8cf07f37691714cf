"""Steps of a deployment on a real HAProxy, as its tests take them."""

from __future__ import annotations

from bot.actions import deploy as actions
from bot.probes import deploy as probes
from tests.support.waiting import until


async def staged(floor, version="1.4.2"):
    return await actions.stage(floor.ctx(), service="shop", version=version)


async def shifted(floor, percent, *, version="1.4.2", **more):
    return await actions.shift(floor.ctx(), service="shop", version=version, percent=percent, **more)


async def promoted(floor, version="1.4.2", **more):
    done = await actions.promote(floor.ctx(), service="shop", version=version, **more)
    if done.change is not None:
        await floor.ledger.record(done.change)
    return done


async def observed(floor, **more):
    return (await probes.observe(floor.ctx(**more), service="shop")).data


async def unhealthy(floor, role):
    """Wait until HAProxy has noticed that nobody of this role answers."""

    async def noticed():
        rows = (await observed(floor))["instances"]
        return not any(row["healthy"] for row in rows if row["role"] == role)

    await until(noticed, what=f"no healthy {role} server")


async def goes_on(seen):
    """Wait until the clients have asked many times more."""
    asked = seen.total()
    await until(lambda: seen.total() >= asked + 50, what="fifty more requests")


def broken(seen):
    return {text: count for text, count in seen.items() if text.startswith("broken")}
