"""How `web` bears a flood of commands, and whether every command becomes one run.

``python -m bench.load --json``: two real `web` processes in signed HTTP mode, a real worker and a local
Slack.  Commands keep to a schedule whatever the answers do, and an answer's time counts from the moment its
command was due; some commands are delivered twice.  Afterwards the runs in Redis are counted.  The second
part parks more and more runs at an approval and looks again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import handlers
from bench.deliveries import Delivery, deliveries, post
from bench.engines.contender import listening
from bench.engines.pilothouse import assembled, work_of
from bench.engines.processes import BenchError, rss_mb, spawned, tree
from bot.adapters.redis.store import connect
from bot.adapters.slack.app import EVENTS_PATH
from bot.adapters.slack.manifest import manifest_of
from bot.services.run_starter import run_id_of
from demo.scenarios.valkey import embedded_valkey
from demo.scenarios.waiting import until
from demo.scenarios.world import free_port

_HERE = Path(__file__).resolve().parent
_WEBS = 2
_SERVICES = 40
_WARM_UP_S = 2.0
_SETTLE_S = 120.0
_LEVELS = (0, 100, 1_000, 10_000)
_GOAL_MS = 100


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that runs, and how to reach it."""

    folder: Path
    redis_url: str
    secret: str
    urls: tuple[str, ...]
    web_pids: tuple[int, ...]
    environment: Mapping[str, str]


async def measure(*, rate: int, seconds: float, redelivered: float, levels: Sequence[int]) -> dict[str, Any]:
    """Put the load on, count what became of it, and do it again with more and more runs parked."""
    async with _site() as site:
        async with _worker(site):
            await _load(site, "warm", rate=rate, seconds=_WARM_UP_S, redelivered=0)
            sent, flood = await _load(site, "flood", rate=rate, seconds=seconds, redelivered=redelivered)
            flood |= await _became(site, sent)
        grown = await _growth(site, rate=rate, seconds=seconds / 6, levels=levels)
    met = flood["p99_ms"] < _GOAL_MS and not flood["lost"] and not flood["doubled"]
    return {"flood": flood, "by_runs_in_flight": grown, "goal_ms": _GOAL_MS, "met": met}


async def _load(
    site: Site, name: str, *, rate: int, seconds: float, redelivered: float
) -> tuple[list[Delivery], dict[str, Any]]:
    """Send commands on schedule; milliseconds from when each was due to when it was answered."""
    plan = list(deliveries(name, rate=rate, seconds=seconds, redelivered=redelivered, services=_SERVICES))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        began = time.perf_counter()

        async def one(number: int, delivery: Delivery) -> float:
            await asyncio.sleep(max(0.0, began + delivery.due_s - time.perf_counter()))
            taken = await post(session, site.urls[number % _WEBS], delivery, secret=site.secret)
            return 1000 * (time.perf_counter() - began - delivery.due_s) if taken else math.inf

        latencies = await asyncio.gather(*(one(n, delivery) for n, delivery in enumerate(plan)))
    return plan, _summary(latencies)


async def _became(site: Site, sent: Sequence[Delivery]) -> dict[str, Any]:
    """Count the runs of the distinct commands, once nothing is waiting any more."""
    store = connect(site.redis_url)
    began = time.perf_counter()
    try:
        shard = store.keys.shared

        async def is_quiet() -> bool | None:
            left = [
                await store.client.xlen(key)
                for key in (shard.inbox, shard.queue("urgent"), shard.queue("normal"))
            ]
            return True if not any(left) else None

        await until(is_quiet, "the worker to catch up", _SETTLE_S, hint=f"Read {site.folder}.")
        caught_up_s = time.perf_counter() - began
        names = [key async for key in store.client.scan_iter(match=shard.run("*"), count=1000)]
        found = {str(name).removeprefix(shard.run("")) for name in names}
        indexed = await store.client.zcard(shard.index)
        states = [await store.client.hget(name, "st") for name in names]
    finally:
        await store.aclose()
    wanted = {run_id_of(delivery.key) for delivery in sent}
    warm = {run_id_of(f"warm-{n}") for n in range(len(found))}
    return {
        "commands": len(wanted),
        "deliveries": len(sent),
        "lost": len(wanted - found),
        "doubled": len(found - wanted - warm) + indexed - len(found),
        "unfinished": sum(state != "finished" for state in states),
        "caught_up_after_s": round(caught_up_s, 1),
    }


async def _growth(site: Site, *, rate: int, seconds: float, levels: Sequence[int]) -> list[dict[str, Any]]:
    """Measure acknowledgements and memory with more and more runs parked."""
    rows: list[dict[str, Any]] = []
    parked = 0
    for level in levels:
        await _park(site, first=parked, last=level)
        parked = level
        async with _worker(site) as worker_pid:
            sent, summary = await _load(site, f"at{level}", rate=rate, seconds=seconds, redelivered=0)
            became = await _became(site, sent)
            rows.append(
                {
                    "parked": level,
                    "p50_ms": summary["p50_ms"],
                    "p99_ms": summary["p99_ms"],
                    "lost": became["lost"],
                    "web_rss_mb": [round(rss_mb((pid,)), 1) for pid in site.web_pids],
                    "worker_rss_mb": round(rss_mb(tree(worker_pid)), 1),
                }
            )
    return rows


async def _park(site: Site, *, first: int, last: int) -> None:
    """Park runs at an approval; they count as shown, so that only their number weighs."""
    slots = asyncio.Semaphore(64)
    async with assembled(site.redis_url) as parts, listening(site.redis_url) as ears:

        async def one(number: int) -> None:
            async with slots:
                parked = ears.expect(f"parked-{number}")
                await parts.start(f"parked-{number}", runbook="gate")
                await parked

        serving = asyncio.create_task(work_of(parts).serve(parts.handlers()))
        await asyncio.gather(*(one(number) for number in range(first, last)))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await parts.store.client.delete(parts.store.keys.shared.dirty)


@contextlib.asynccontextmanager
async def _site() -> AsyncIterator[Site]:
    """Bring up Valkey, a local Slack and the `web` processes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        ports = [free_port() for _ in range(_WEBS)]
        urls = tuple(f"http://127.0.0.1:{port}{EVENTS_PATH}" for port in ports)
        async with contextlib.AsyncExitStack() as stack:
            redis_url = await stack.enter_async_context(embedded_valkey(folder / "valkey"))
            secret = secrets.token_hex(16)
            slack = await _slack(stack, folder, url=urls[0], secret=secret)
            environment = {
                "PILOTHOUSE_REDIS_URL": redis_url,
                "PILOTHOUSE_SLACK_BOT_TOKEN": slack["bot_token"],
                "PILOTHOUSE_SLACK_SIGNING_SECRET": secret,
                "PILOTHOUSE_SLACK_API_URL": slack["api_url"],
                "PILOTHOUSE_SLACK_MODE": "http",
                "PILOTHOUSE_CATALOGUE": str(_catalogue(folder)),
                "PILOTHOUSE_RUNBOOKS": str(_HERE / "load_runbooks"),
            }
            pids = [await _web(stack, folder, environment, port) for port in ports]
            yield Site(
                folder=folder,
                redis_url=redis_url,
                secret=secret,
                urls=urls,
                web_pids=tuple(pids),
                environment=environment,
            )


async def _slack(stack: contextlib.AsyncExitStack, folder: Path, *, url: str, secret: str) -> dict[str, Any]:
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(manifest_of(handlers.modules(), url=url)), "utf-8")
    port = free_port()
    process = await stack.enter_async_context(
        spawned(
            *("localslack", "--json", "--port", str(port), "--manifest", str(manifest)),
            *("--workspace", str(_HERE.parent / "demo" / "scenarios" / "workspace.yaml")),
            *("--app-name", "pilothouse", "--events-url", url, "--signing-secret", secret),
            "--no-rate-limits",
            log=folder / "localslack.log",
            pipes=True,
        )
    )
    assert process.stdout is not None  # noqa: S101  # it was asked for
    told: dict[str, Any] = json.loads(await process.stdout.readline())
    return told


async def _web(
    stack: contextlib.AsyncExitStack, folder: Path, environment: Mapping[str, str], port: int
) -> int:
    process = await stack.enter_async_context(
        spawned(
            *("bot", "web"),
            log=folder / "web.log",
            env={**environment, "PILOTHOUSE_HTTP_PORT": str(port)},
        )
    )
    async with aiohttp.ClientSession(trust_env=False) as session:

        async def is_up() -> bool | None:
            if process.returncode is not None:
                raise BenchError("A web process has ended.", hint=(folder / "web.log").read_text("utf-8"))
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    return answer.ok or None
            except aiohttp.ClientError:
                return None

        await until(is_up, "web", 60, hint=f"Read {folder / 'web.log'}.")
    return process.pid


@contextlib.asynccontextmanager
async def _worker(site: Site) -> AsyncIterator[int]:
    async with spawned("bot", "worker", log=site.folder / "worker.log", env=site.environment) as process:
        yield process.pid


def _catalogue(folder: Path) -> Path:
    file = folder / "catalogue.yaml"
    lines = [f"  - {{name: service{number}}}" for number in range(_SERVICES)]
    file.write_text("\n".join(["services:", *lines, ""]), "utf-8")
    return file


def _summary(latencies: Sequence[float]) -> dict[str, Any]:
    answered = [latency for latency in latencies if latency < math.inf]
    cuts = statistics.quantiles(answered, n=100, method="inclusive")
    return {
        "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2),
        "max_ms": round(max(answered), 2),
        "refused": len(latencies) - len(answered),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=200, help="commands a second (200)")
    parser.add_argument("--seconds", type=float, default=60, help="for so long (60)")
    parser.add_argument("--redelivered", type=float, default=0.05, help="share delivered twice (0.05)")
    parser.add_argument("--levels", type=int, nargs="*", default=_LEVELS, help="runs parked, rising")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    result = asyncio.run(
        measure(
            rate=arguments.rate,
            seconds=arguments.seconds,
            redelivered=arguments.redelivered,
            levels=arguments.levels,
        )
    )
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
