"""Buyers: a steady stream of requests to the storefront, whether or not the last ones were answered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.pace import JITTER, RequestPace
from demo.shop.postgres import ARTICLES
from demo.shop.services.releases import NEW_BUG, OLD_BUG
from demo.shop.tally import VersionTally

RATE_PER_S = 20.0
MOST_PER_S = 100.0
PATIENCE_S = 6.0
HISTORY_S = 180
BUYING_SHARE = 0.75
CRAWLS_PER_S = 1.0
STORM_CRAWLS_PER_S = 10.0
CRAWLER = "HarvestBot/3.1"

# Buyers by country; those outside the Union, whom release 1.4.2 forgets, are 35 of 100.
_COUNTRIES = {"DE": 27, "FR": 16, "NL": 9, "ES": 7, "IT": 6, "GB": 20, "CH": 9, "NO": 6}
_FEW_HEADERS = ("X-Client-Hint",)
_MANY_HEADERS = ("X-Client-Hint", "X-Requested-From", "X-Viewport", "X-Device-Class", "X-Locale-Hint")


@dataclass
class LoadSecond:
    """What happened within one second."""

    at: int
    ok: int = 0
    failed: int = 0
    took_s: float = 0.0
    """The sum of the times to answer, in seconds."""


@dataclass(frozen=True, kw_only=True)
class BuyerResult:
    """What a buyer saw, and which checkout had a part in it."""

    ok: bool
    version: str = ""
    server: str = ""


class BuyerLoad:
    """Open loop: a slow shop gets no fewer buyers."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.tally = VersionTally()
        """How checkout answered, as buyers saw it through the storefront."""
        self.faulty_share = 0.0
        """Share of the carts with a coupon that every release stumbles over; as many bear a newer one."""
        self.storm = False
        """Whether the crawler is back with many deprecated headers."""
        self._url = url
        self._session = session
        self._pace = RequestPace(RATE_PER_S)
        self._ok = 0
        self._failed = 0
        self._seconds: deque[LoadSecond] = deque(maxlen=HISTORY_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    @property
    def rate_per_s(self) -> float:
        """How many buyers come a second."""
        return self._pace.per_s

    @rate_per_s.setter
    def rate_per_s(self, rate_per_s: float) -> None:
        self._pace.per_s = rate_per_s

    def start(self) -> None:
        """Open the doors."""
        self._loops = [asyncio.create_task(self._buyers()), asyncio.create_task(self._crawler())]

    async def stop(self) -> None:
        """Stop the load."""
        tasks = [*self._loops, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def recent(self, window_s: int) -> dict[str, Any]:
        """Sum up the last ``window_s`` seconds; ``error_ratio`` is none when there were no answers."""
        since = int(time.monotonic()) - window_s
        seconds = [second for second in self._seconds if second.at > since]
        ok, failed = sum(second.ok for second in seconds), sum(second.failed for second in seconds)
        answered = ok + failed
        return {
            "window_s": window_s,
            "ok": ok,
            "failed": failed,
            "error_ratio": round(failed / answered, 4) if answered else None,
            "mean_ms": round(sum(second.took_s for second in seconds) / answered * 1000, 1)
            if answered
            else None,
        }

    def to_json(self, *, window_s: int = 5) -> dict[str, Any]:
        """Write the totals and the recent error ratio as the API hands them out."""
        return {
            "rate_per_s": self.rate_per_s,
            "total": self._ok + self._failed,
            "ok": self._ok,
            "failed": self._failed,
            "waiting": len(self._tasks),
            "recent": self.recent(window_s),
        }

    def history(self) -> list[dict[str, Any]]:
        """List the last seconds, oldest first, without gaps; ``ago_s`` is how long ago each was."""
        now = int(time.monotonic())
        known = {second.at: second for second in self._seconds}
        first = min(known, default=now)
        return [
            {
                "ago_s": now - at,
                "ok": known[at].ok if at in known else 0,
                "failed": known[at].failed if at in known else 0,
            }
            for at in range(max(first, now - HISTORY_S), now)
        ]

    async def _buyers(self) -> None:
        while True:
            await self._pace.turn()
            self._spawn(self._visit())

    async def _crawler(self) -> None:
        while True:
            per_s = STORM_CRAWLS_PER_S if self.storm else CRAWLS_PER_S
            await asyncio.sleep(random.uniform(1 - JITTER, 1 + JITTER) / per_s)
            self._spawn(self._crawl(_MANY_HEADERS if self.storm else _FEW_HEADERS))

    def _spawn(self, visit: Any) -> None:  # noqa: ANN401  # a coroutine
        task = asyncio.create_task(visit)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _visit(self) -> None:
        started = time.monotonic()
        sku = random.choice(tuple(ARTICLES))
        if random.random() < BUYING_SHARE:
            seen = await self._request("POST", "/buy", json=self._cart(sku))
        else:
            seen = await self._request("GET", f"/articles/{sku}")
        self.tally.count(ok=seen.ok, version=seen.version, server=seen.server)
        self._count(ok=seen.ok, took_s=time.monotonic() - started)

    def _cart(self, sku: str) -> dict[str, Any]:
        country = random.choices(tuple(_COUNTRIES), weights=tuple(_COUNTRIES.values()))[0]
        plain = 1 - 2 * self.faulty_share
        weights = (plain, self.faulty_share, self.faulty_share)
        coupon = random.choices(("", OLD_BUG, NEW_BUG), weights=weights)[0]
        cart = {"sku": sku, "quantity": random.randint(1, 4), "country": country, "contact": "a@example.com"}
        return {**cart, "coupon": coupon} if coupon else cart

    async def _crawl(self, headers: tuple[str, ...]) -> None:
        await self._request("GET", "/", headers={"User-Agent": CRAWLER, **dict.fromkeys(headers, "1")})

    async def _request(self, method: str, path: str, **options: Any) -> BuyerResult:  # noqa: ANN401  # aiohttp's own
        timeout = ClientTimeout(total=PATIENCE_S)
        with contextlib.suppress(ClientError, TimeoutError):
            async with self._session.request(method, self._url + path, timeout=timeout, **options) as answer:
                await answer.read()
                return BuyerResult(
                    ok=answer.status < 500,  # noqa: PLR2004  # HTTP's own line: below is the buyer's own doing
                    version=answer.headers.get("X-Checkout-Version", ""),
                    server=answer.headers.get("X-Checkout-Server", ""),
                )
        return BuyerResult(ok=False)

    def _count(self, *, ok: bool, took_s: float) -> None:
        now = int(time.monotonic())
        if not self._seconds or self._seconds[-1].at != now:
            self._seconds.append(LoadSecond(at=now))
        second = self._seconds[-1]
        second.took_s += took_s
        if ok:
            self._ok += 1
            second.ok += 1
        else:
            self._failed += 1
            second.failed += 1
