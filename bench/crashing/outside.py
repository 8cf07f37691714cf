"""The world outside, in the driver's own process: it counts effects and outlives every worker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

TARGETS = ("keyed", "fenced", "plain")


class Outside:
    """Three targets: one repeats nothing for a key it knows, one refuses old epochs, one does as told."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self.url = ""
        self.done: dict[str, Counter[str]] = defaultdict(Counter)
        self._epochs: dict[str, int] = {}

    def times(self, target: str, run_id: str) -> int:
        """Tell how often a run's effect happened at a target."""
        return sum(n for key, n in self.done[target].items() if key.startswith(f"{run_id}:"))

    async def act(self, request: web.Request) -> web.Response:
        """Have an effect."""
        target, body = request.match_info["target"], await request.json()
        key, epoch = body["key"], int(body["epoch"])
        if target == "keyed" and self.done[target][key]:
            return web.json_response({"times": self.done[target][key]})
        if target == "fenced":
            newest = self._epochs.get(key, 0)
            if epoch < newest or (epoch == newest and self.done[target][key]):
                return web.json_response({"error": "stale"}, status=412)
            self._epochs[key] = epoch
        self.done[target][key] += 1
        return web.json_response({"times": self.done[target][key]})

    async def look(self, request: web.Request) -> web.Response:
        """Return how often an effect is there; from now on the fenced target refuses what is older.

        Without that, what an earlier owner has sent could arrive between the look and the effect.
        """
        target, key = request.match_info["target"], request.match_info["key"]
        if target == "fenced":
            self._epochs[key] = max(self._epochs.get(key, 0), int(request.query["epoch"]))
        return web.json_response({"times": self.done[target][key]})

    async def read(self, _request: web.Request) -> web.Response:
        """Give the reading of every probe."""
        return web.json_response({"value": 0})


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Run the targets on a free port of loopback."""
    world = Outside()
    app = web.Application()
    app.router.add_post("/{target}/effects", world.act)
    app.router.add_get("/{target}/effects/{key}", world.look)
    app.router.add_get("/reading", world.read)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield world
    finally:
        await runner.cleanup()
