"""How fast a five-way fan-out and a reduce is here, beside its floor and its peers.

``python -m bench.engine --json``: each contender in turn, round by round, on a fresh Valkey with its
append-only file on; medians over the rounds, and ratios.  Only ratios mean something elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.engines.celery_chord import CeleryChord
from bench.engines.contender import Contender, Ears, Place, Start, listening, triage
from bench.engines.dbos_steps import DbosSteps
from bench.engines.floor import Floor
from bench.engines.pilothouse import Pilothouse
from bench.engines.processes import cpu_s, rss_mb, tree
from bench.engines.taskiq_gather import TaskiqGather
from bench.footprint import footprint
from demo.scenarios.valkey import embedded_valkey
from demo.scenarios.world import free_port

CONTENDERS: tuple[Contender, ...] = (Pilothouse(), Floor(), CeleryChord(), TaskiqGather(), DbosSteps())
_WARM_UP = 20
_AT_ONCE = 64
_WORKERS = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One contender in one round; ``cpu_us`` is of all processes, servers and the waiting client included."""

    start_s: float
    """From the start of the worker's process to the end of the first triage."""
    p50_ms: float
    p99_ms: float
    per_s: float
    cpu_us: float
    rss_mb: float
    """Of the worker's processes together."""


async def measure(
    contenders: Sequence[Contender], *, rounds: int, alone: int, together: int
) -> dict[str, dict[str, Any]]:
    """Run every contender in each round; medians of ``alone`` triages in turn and ``together`` at once."""
    missing = {c.name: c.package for c in contenders if importlib.util.find_spec(c.package) is None}
    samples: dict[str, list[Sample]] = {c.name: [] for c in contenders if c.name not in missing}
    for _ in range(rounds):
        for contender in contenders:
            if contender.name not in missing:
                samples[contender.name].append(await sample(contender, alone=alone, together=together))
    found = {name: _median(taken) for name, taken in samples.items()}
    return found | {name: {"missing": package} for name, package in missing.items()}


async def sample(contender: Contender, *, alone: int, together: int, workers: int = 1) -> Sample:
    """Measure one contender once."""
    async with _place() as place, listening(place.redis_url) as ears:
        before, began = set(tree(os.getpid())), time.perf_counter()
        async with contender.running(place, workers=workers) as start:
            await triage(start, ears, "first")
            start_s = time.perf_counter() - began
            await _one_by_one(start, ears, "warm", _WARM_UP)
            latencies = await _one_by_one(start, ears, "alone", alone)
            pids = tree(os.getpid())
            cpu, began = cpu_s(pids), time.perf_counter()
            await _at_once(start, ears, "together", together)
            took_s, cpu = time.perf_counter() - began, cpu_s(pids) - cpu
            held_mb = rss_mb(tuple(pid for pid in pids if pid not in before))
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return Sample(
        start_s=start_s,
        p50_ms=cuts[49],
        p99_ms=cuts[98],
        per_s=together / took_s,
        cpu_us=1e6 * cpu / together,
        rss_mb=held_mb,
    )


async def scaling(*, together: int) -> dict[str, float]:
    """Tell the triages a second of this engine by how many workers there are."""
    return {
        str(n): round((await sample(Pilothouse(), alone=2, together=together, workers=n)).per_s)
        for n in _WORKERS
    }


def ratios(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times as long as this engine each contender takes at p50; the floor the other way round."""
    ours = found["pilothouse"]["p50_ms"]
    others = {n: f["p50_ms"] for n, f in found.items() if n not in ("pilothouse", "floor") and "p50_ms" in f}
    times = {f"{name}_to_ours": round(p50 / ours, 2) for name, p50 in others.items()}
    floor = found.get("floor", {}).get("p50_ms")
    return times if floor is None else {"ours_to_floor": round(ours / floor, 2), **times}


@contextlib.asynccontextmanager
async def _place() -> AsyncIterator[Place]:
    """Make a fresh Valkey on a TCP port, which every contender's client can reach in the same way."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with embedded_valkey(Path(folder) / "valkey", extra=("--port", str(port))):
            yield Place(redis_url=f"redis://127.0.0.1:{port}/0", folder=Path(folder))


async def _one_by_one(start: Start, ears: Ears, name: str, count: int) -> list[float]:
    """Run ``count`` triages in turn; milliseconds of each."""
    latencies: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        await triage(start, ears, f"{name}-{number}")
        latencies.append(1000 * (time.perf_counter() - began))
    return latencies


async def _at_once(start: Start, ears: Ears, name: str, count: int) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            await triage(start, ears, f"{name}-{number}")

    await asyncio.gather(*(one(number) for number in range(count)))


def _median(samples: Sequence[Sample]) -> dict[str, Any]:
    rows = [asdict(taken) for taken in samples]
    return {name: round(statistics.median(row[name] for row in rows), 2) for name in rows[0]}


async def _everything(arguments: argparse.Namespace) -> dict[str, Any]:
    chosen = [c for c in CONTENDERS if not arguments.only or c.name in arguments.only]
    found = await measure(chosen, rounds=arguments.rounds, alone=arguments.alone, together=arguments.together)
    result: dict[str, Any] = {"contenders": found}
    if "p50_ms" in found.get("pilothouse", {}):
        result["ratios"] = ratios(found)
        result["triages_per_s_by_workers"] = await scaling(together=arguments.together)
        result["bytes"] = await footprint(runs=arguments.footprint)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all contenders (3)")
    parser.add_argument("--alone", type=int, default=200, help="triages one after the other (200)")
    parser.add_argument("--together", type=int, default=1000, help="triages 64 at a time (1000)")
    parser.add_argument("--footprint", type=int, default=500, help="runs whose bytes are counted (500)")
    parser.add_argument("--only", nargs="*", choices=[c.name for c in CONTENDERS], help="only these")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    result = asyncio.run(_everything(arguments))
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
