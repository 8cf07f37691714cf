"""Whether thousands of monitors are looked at on time, each slot once, whatever happens to a clock.

``python -m bench.monitors --json``: real clocks and workers on a real Valkey with its append-only file.
First one clock and one worker; then two clocks, of which one is stopped, continued, and killed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from bench.monitoring.process import run
from bot.domain.monitoring.monitor import Monitor
from demo.scenarios.valkey import embedded_valkey

_PER_SERVICE = 100
_WARM_UP_S = 15.0
_LAST_S = 5.0
_GOAL_S = 1.0


@dataclass
class Crowd:
    """The monitors of one measurement, and the processes that serve them."""

    folder: Path
    monitors: dict[str, Monitor]
    processes: list[tuple[str, ForkServerProcess]] = field(default_factory=list)

    def start(self, role: str, environment: dict[str, str]) -> int:
        """Start one process of a role; gives its id."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bench.monitoring.process"])
        process = context.Process(target=run, args=(role, environment, str(self.folder)), daemon=True)
        process.start()
        assert process.pid is not None  # noqa: S101  # it was started
        self.processes.append((role, process))
        return process.pid

    def memory_mb(self) -> dict[str, float]:
        """Tell the resident memory of the processes, the largest of each role."""
        found: dict[str, float] = {}
        for role, process in self.processes:
            with contextlib.suppress(OSError):
                pages = int(Path(f"/proc/{process.pid}/statm").read_text("utf-8").split()[1])
                found[role] = max(found.get(role, 0), round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1))
        return found

    def stop(self) -> None:
        """End all of them."""
        for _, process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGKILL)
            process.join(5)

    def looks(self) -> Iterator[tuple[str, str, float]]:
        """List every look: monitor, slot, seconds late."""
        for file in self.folder.glob("looks.*"):
            for line in file.read_text("utf-8").splitlines():
                name, slot, late = line.split()
                yield name, slot, float(late)


def _catalogue(count: int, every_s: float) -> dict[str, Any]:
    monitors = [
        {"id": f"m{number}", "probe": "steady.level", "every": every_s, "expect": "result.value == 0"}
        for number in range(_PER_SERVICE)
    ]
    services = (count + _PER_SERVICE - 1) // _PER_SERVICE
    return {
        "services": [
            {"name": f"s{number}", "monitors": monitors[: count - number * _PER_SERVICE]}
            for number in range(services)
        ]
    }


@contextlib.asynccontextmanager
async def _crowd(count: int, every_s: float) -> Any:  # noqa: ANN401  # an asynchronous context manager
    with tempfile.TemporaryDirectory(prefix="ph-mon-") as name:
        folder, catalogue = Path(name), _catalogue(count, every_s)
        (folder / "catalogue.yaml").write_text(json.dumps(catalogue), "utf-8")
        monitors = {
            f"{service['name']}/{monitor['id']}": Monitor.model_validate(monitor)
            for service in catalogue["services"]
            for monitor in service["monitors"]
        }
        async with embedded_valkey(folder / "valkey") as url:
            crowd = Crowd(folder, monitors)
            environment = {
                "PILOTHOUSE_REDIS_URL": url,
                "PILOTHOUSE_CATALOGUE": str(folder / "catalogue.yaml"),
                "PILOTHOUSE_SLACK_BOT_TOKEN": "xoxb-nobody",
                "PILOTHOUSE_SLACK_APP_TOKEN": "xapp-nobody",
                "PILOTHOUSE_SLACK_API_URL": "http://127.0.0.1:9/",
            }
            try:
                yield crowd, environment
            finally:
                await asyncio.to_thread(crowd.stop)


async def measure(*, count: int, every_s: float, seconds: float) -> dict[str, Any]:
    """Measure both: lateness with one clock, exactness with two."""
    return {
        "monitors": count,
        "every_s": every_s,
        "one_clock": await _one_clock(count, every_s, seconds),
        "two_clocks_one_stopped_then_killed": await _two_clocks(count, every_s, seconds),
        "goal_p99_s": _GOAL_S,
    }


async def _one_clock(count: int, every_s: float, seconds: float) -> dict[str, Any]:
    async with _crowd(count, every_s) as (crowd, environment):
        for role in ("worker", "clock"):
            crowd.start(role, environment)
        since = datetime.now(UTC) + timedelta(seconds=_WARM_UP_S)  # noqa: TID251  # the machine's own clock
        await asyncio.sleep(_WARM_UP_S + seconds)
        return {**_told(crowd, since, seconds), "memory_mb": crowd.memory_mb()}


async def _two_clocks(count: int, every_s: float, seconds: float) -> dict[str, Any]:
    async with _crowd(count, every_s) as (crowd, environment):
        crowd.start("worker", environment)
        _, victim = crowd.start("clock", environment), crowd.start("clock", environment)
        since = datetime.now(UTC) + timedelta(seconds=_WARM_UP_S)  # noqa: TID251  # the machine's own clock
        await asyncio.sleep(_WARM_UP_S + seconds / 4)
        began = time.monotonic()
        for number, until_s in ((signal.SIGSTOP, seconds / 4), (signal.SIGCONT, seconds / 2)):
            os.kill(victim, number)
            await asyncio.sleep(max(0.0, until_s - (time.monotonic() - began)))
        os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(seconds / 4)
        return _told(crowd, since, seconds)


def _told(crowd: Crowd, since: datetime, seconds: float) -> dict[str, Any]:
    """Compare what was looked at with what should have been, the last moments left out."""
    until = since + timedelta(seconds=seconds - _LAST_S)
    seen: Counter[tuple[str, str]] = Counter()
    late: list[float] = []
    for name, slot, seconds_late in crowd.looks():
        if since.timestamp() < float(slot) <= until.timestamp():
            seen[name, slot] += 1
            late.append(seconds_late)
    expected = {
        (name, f"{slot.timestamp():.3f}")
        for name, monitor in crowd.monitors.items()
        for slot in monitor.slots(name, after=since, until=until)
    }
    return {
        "slots": len(expected),
        "looks": len(late),
        "lost": len(expected - set(seen)),
        "doubled": sum(times - 1 for times in seen.values()),
        "not_asked_for": len(set(seen) - expected),
        "late_s": _quantiles(late),
    }


def _quantiles(late: Sequence[float]) -> dict[str, float]:
    if not late:
        return {}
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    return {"p50": round(cuts[49], 4), "p99": round(cuts[98], 4), "max": round(max(late), 4)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--monitors", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--every", type=float, default=60, help="seconds between two looks at one (60)")
    parser.add_argument("--seconds", type=float, default=125, help="how long each part lasts (125)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    arguments = parser.parse_args()
    result = asyncio.run(
        measure(count=arguments.monitors, every_s=arguments.every, seconds=arguments.seconds)
    )
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
