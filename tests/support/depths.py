"""What a process knows of itself, for tests: known depths, and a store that answers as it is told."""

from __future__ import annotations

from bot.adapters.observability.health import Health
from bot.adapters.observability.meters import Meters
from bot.adapters.redis.gauges import Depths, LaneDepth

DEPTHS = Depths(
    lanes={"intents": LaneDepth(waiting=3, handled=1, oldest_s=2.5)},
    active=2,
    timed=1,
    kept=9,
    dirty=4,
    dead=0,
    workers=2,
    tokens={"edits": 5.5},
)


def operating(ping, *, most_lag_s=10.0) -> Health:
    async def depths() -> Depths:
        await ping()
        return DEPTHS

    return Health(meters=Meters(), ping=ping, depths=depths, most_lag_s=most_lag_s)
