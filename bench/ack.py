"""How fast a person's command or click is acknowledged.

``python -m bench.ack --json``: everything up as in the demo; people type commands, some of them wrong, one
after the other and several at once; the local Slack measures from delivery to acknowledgement.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from typing import Any

from demo.scenarios.stage import DemoStage, stage
from demo.scenarios.world import running

_CHANNEL = "checkout-oncall"
_GOAL_MS = 100
_WORDS = ("checkout", "checkout since 15m", "chekout", "payments", "help")


async def measure(*, commands: int, at_once: int) -> dict[str, Any]:
    """Type ``commands`` commands, ``at_once`` at a time; milliseconds."""
    async with running(watch_s=5) as world, stage(world) as on:
        await _type(on, 5, at_once=1)  # the first ones find cold caches
        alone = await _type(on, commands, at_once=1)
        together = await _type(on, commands, at_once=at_once)
        stats = await on.slack.stats()
    return {
        "alone": _summary(alone),
        "together": {"at_once": at_once, **_summary(together)},
        "unacknowledged": stats["envelopes"]["unacked"],
        "goal_ms": _GOAL_MS,
        "met": max(_summary(alone)["p99_ms"], _summary(together)["p99_ms"]) < _GOAL_MS,
    }


async def _type(on: DemoStage, commands: int, *, at_once: int) -> list[float]:
    slots = asyncio.Semaphore(at_once)

    async def one(number: int) -> float:
        async with slots:
            words = _WORDS[number % len(_WORDS)]
            told = await on.slack.slash("/triage", words, user="ana", channel=_CHANNEL)
        return told.ack_latency_ms or float("inf")

    return await asyncio.gather(*(one(number) for number in range(commands)))


def _summary(latencies: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return {
        "commands": len(latencies),
        "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2),
        "max_ms": round(max(latencies), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commands", type=int, default=200, help="how many in each round (200)")
    parser.add_argument("--at-once", type=int, default=10, help="how many at a time in the second round (10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    result = asyncio.run(measure(commands=arguments.commands, at_once=arguments.at_once))
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
