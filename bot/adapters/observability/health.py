"""Health, readiness and metrics of a process, whichever roles it has."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.adapters.observability.meters import Meters
from bot.adapters.redis.gauges import Depths

TEXT = "text/plain; version=0.0.4; charset=utf-8"
_LOOK_S = 0.1
_WINDOW_S = 60.0


class LivenessProbe:
    """Checks whether something that should happen regularly still does."""

    def __init__(self, *, within_s: float) -> None:
        """Expect a beat every ``within_s`` seconds; before the first one it counts as missing."""
        self._within_s = within_s
        self._last_s: float | None = None

    def beat(self) -> None:
        """Record a beat."""
        self._last_s = time.monotonic()

    @property
    def lives(self) -> bool:
        """Return whether the last beat is recent enough."""
        return self._last_s is not None and time.monotonic() - self._last_s <= self._within_s


class LoopLag:
    """How long the event loop stalls, in seconds: how much later a sleep ends than it should."""

    def __init__(self) -> None:
        """Begin without a stall."""
        self._stalls: deque[tuple[float, float]] = deque()

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(_LOOK_S)
            self.note(time.monotonic() - began - _LOOK_S)

    def note(self, lag_s: float) -> None:
        """Store one measurement, and drop earlier ones that are shorter."""
        now = time.monotonic()
        while self._stalls and (self._stalls[-1][1] <= lag_s):
            self._stalls.pop()
        self._stalls.append((now, max(0.0, lag_s)))

    @property
    def worst_s(self) -> float:
        """The longest stall within the last minute."""
        oldest = time.monotonic() - _WINDOW_S
        while self._stalls and self._stalls[0][0] < oldest:
            self._stalls.popleft()
        return self._stalls[0][1] if self._stalls else 0.0


class StoreGauges:
    """The gauges of what is in Redis; the same in every process, so ask one of them, or take the maximum."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare them."""

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"pilothouse_{name}", text, labels, registry=registry)

        self.up = gauge("store_up", "1 if the store answered this scrape, else 0; then the rest is stale.")
        self.waiting = gauge("queue_waiting_messages", "Messages that no worker has taken yet.", "lane")
        self.handled = gauge("queue_handled_messages", "Messages that workers are handling.", "lane")
        self.oldest = gauge("queue_oldest_seconds", "Age of the oldest message not taken yet.", "lane")
        self.active = gauge("runs_active", "Runs that are ready or running.")
        self.timed = gauge("runs_timed", "Parked runs that wake at a time of their own.")
        self.kept = gauge("runs_kept", "Runs that are stored, ended ones included.")
        self.dirty = gauge("topics_dirty", "Topics whose messages in Slack have to be checked.")
        self.dead = gauge("dead_letters", "Work that failed too often and waits for a person.")
        self.workers = gauge("workers", "Workers that send heartbeats, or whose lease has not yet run out.")
        self.tokens = gauge("slack_budget_tokens", "Slack edits left when a worker last asked.", "bucket")

    def show(self, depths: Depths) -> None:
        """Set them all."""
        self.up.set(1)
        for lane, depth in depths.lanes.items():
            self.waiting.labels(lane).set(depth.waiting)
            self.handled.labels(lane).set(depth.handled)
            self.oldest.labels(lane).set(depth.oldest_s)
        for single, value in (
            (self.active, depths.active),
            (self.timed, depths.timed),
            (self.kept, depths.kept),
            (self.dirty, depths.dirty),
            (self.dead, depths.dead),
            (self.workers, depths.workers),
        ):
            single.set(value)
        self.tokens.clear()
        for bucket, left in depths.tokens.items():
            self.tokens.labels(bucket).set(left)


@dataclass(frozen=True, kw_only=True)
class Health:
    """A process's health; made once, by the composition root."""

    meters: Meters
    ping: Callable[[], Awaitable[object]]
    """Raises when the store is out of reach."""
    depths: Callable[[], Awaitable[Depths]]
    most_lag_s: float
    """In seconds; a loop that stalled for longer is not ready: its runs may have been taken over."""
    lag: LoopLag = field(default_factory=LoopLag)
    pulses: dict[str, LivenessProbe] = field(default_factory=dict, init=False)
    """By name, of the roles that this process has."""
    store: StoreGauges = field(init=False)

    def __post_init__(self) -> None:
        """Declare the store's gauges beside the process's own."""
        object.__setattr__(self, "store", StoreGauges(self.meters.registry))

    def expect(self, name: str, *, within_s: float) -> None:
        """Be ready only while ``beat`` is called for this name every ``within_s`` seconds."""
        self.pulses[name] = LivenessProbe(within_s=within_s)

    def beat(self, name: str) -> None:
        """Record a beat; one that is not expected is ignored."""
        if name in self.pulses:
            self.pulses[name].beat()

    async def troubles(self) -> dict[str, str]:
        """Return why this process cannot do its work; empty while it can."""
        troubles = {name: "no recent beat" for name, pulse in self.pulses.items() if not pulse.lives}
        if (lag_s := self.lag.worst_s) > self.most_lag_s:
            troubles["loop"] = f"stalled for {lag_s:.1f} s within the last minute"
        try:
            await self.ping()
        except (RedisError, OSError) as error:
            troubles["redis"] = type(error).__name__
        return troubles

    async def exposition(self) -> bytes:
        """Return all metrics as Prometheus reads them; without the store, only those of the process."""
        self.meters.loop_lag.set(self.lag.worst_s)
        try:
            self.store.show(await self.depths())
        except (RedisError, OSError):
            self.store.up.set(0)
        return generate_latest(self.meters.registry)


def operating_routes(operating: Health) -> tuple[Route, ...]:
    """Return the routes of ``/healthz``, ``/readyz`` and ``/metrics``."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        troubles = await operating.troubles()
        if troubles:
            return JSONResponse({"status": "down", **troubles}, status_code=503)
        return JSONResponse({"status": "ok", "redis": "ok"})

    async def metrics(_request: Request) -> Response:
        return Response(await operating.exposition(), media_type=TEXT)

    return (Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics))


def operating_app(operating: Health) -> Starlette:
    """Return the HTTP application of a process that receives nothing else."""
    return Starlette(routes=list(operating_routes(operating)))
