"""How many bytes a run keeps in Redis, when it has ended and when it waits for a person."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bench.engines.contender import Ears, listening, triage
from bench.engines.pilothouse import Parts, assembled, work_of
from bench.shipped import SERVICE, shipped
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.archive import RunArchive
from bot.domain.clock import SystemClock
from bot.domain.model import JsonValue
from demo.scenarios.valkey import embedded_valkey

_DAY_S = 86_400


async def footprint(*, runs: int) -> dict[str, int]:
    """Tell bytes a run: of the bench's own runbooks, and of the triage that ships, parked at its approval.

    Runs are packed a minute after somebody last worked on them.
    """
    async with _valkey() as url, assembled(url) as parts:
        finished = await _grown(url, parts, "five", runs=runs)
        packed = await _grown(url, parts, "five", runs=runs, pack=True)
    async with _valkey() as url, assembled(url) as parts:
        parked = await _grown(url, parts, "gate", runs=runs)
        parked_packed = await _grown(url, parts, "gate", runs=runs, pack=True)
    async with _valkey() as url, shipped(url) as parts:
        shipped_parked = await _grown(url, parts, "triage", runs=runs)
        shipped_packed = await _grown(url, parts, "triage", runs=runs, pack=True)
    return {
        "finished": finished,
        "finished_and_packed": packed,
        "parked": parked,
        "parked_and_packed": parked_packed,
        "parked_shipped_triage": shipped_parked,
        "parked_shipped_triage_and_packed": shipped_packed,
    }


async def _grown(url: str, parts: Parts, runbook: str, *, runs: int, pack: bool = False) -> int:
    """Run ``runs`` of a runbook and tell by how much all keys have grown, a run."""
    await parts.store.client.flushall()
    async with listening(url) as ears:
        serving = asyncio.create_task(work_of(parts).serve(parts.handlers()))
        await _one(parts, ears, runbook, "first")  # makes what is kept once for all runs
        before = await _total(parts.store)
        for number in range(runs):
            await _one(parts, ears, runbook, f"r{number:014}")
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    if pack:
        archive = RunArchive(parts.store, retention_s=_DAY_S, pack_after_s=0)
        while await archive.pack(now=SystemClock().now()):
            pass
    return round((await _total(parts.store) - before) / runs)


async def _one(parts: Parts, ears: Ears, runbook: str, run_id: str) -> None:
    """Start a run and wait until its worker lets go of it, at its end or at its approval."""
    params: dict[str, JsonValue] = {"service": SERVICE, "since": 1800} if runbook == "triage" else {}

    async def start(run_id: str) -> None:
        await parts.start(run_id, runbook=runbook, params=params)

    await triage(start, ears, run_id)


async def _total(store: RedisStore) -> int:
    keys = [key async for key in store.client.scan_iter(count=1000)]
    async with store.client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.memory_usage(key, samples=0)
        return sum(size or 0 for size in await pipe.execute())


@contextlib.asynccontextmanager
async def _valkey() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url
