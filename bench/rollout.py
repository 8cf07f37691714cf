"""What a rollout on HAProxy costs its users: requests broken by shifts, and how long a canary answers on.

``python -m bench.rollout --json``: a real HAProxy, real processes, the bot's own actions.  First shifts,
promotions and rollbacks under load; then the bot is killed and stopped in the middle of a canary.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from dataclasses import asdict
from typing import Any

from bench.rollouts.clients import asking
from bench.rollouts.deadman import CANARY, Outcome, play
from bench.rollouts.floor import floor_with
from bot.actions import deploy

STEPS = (5, 25, 50, 75, 100)
ASKED = {
    "broken": 0,
    "last_canary_answer_ms": 50.0,
    "killed_last_canary_answer_s": 1.5,
    "stopped_last_canary_answer_s": 2.5,
}


async def shifts(*, rollouts: int, requests: int) -> dict[str, Any]:
    """Shift a canary step by step and take it back, again and again, under load; then promote it."""
    loop, lasts_ms, made = asyncio.get_running_loop(), list[float](), 0
    async with floor_with() as floor, asking(floor.port, clients=8) as seen:
        for number in range(rollouts):
            await deploy.stage(floor.ctx(), service="shop", version=CANARY)
            for step, percent in enumerate(STEPS):
                await deploy.shift(floor.ctx(), service="shop", version=CANARY, percent=percent)
                made += 1
                share = (number * len(STEPS) + step + 1) / (rollouts * len(STEPS))
                await seen.until(int(requests * share))
            decided_s = loop.time()
            await deploy.rollback(floor.ctx(), service="shop")
            made += 1
            await asyncio.sleep(0.3)
            lasts_ms.append(max(0.0, seen.last_at_s[CANARY] - decided_s) * 1000)
        await deploy.stage(floor.ctx(), service="shop", version=CANARY)
        await deploy.promote(floor.ctx(), service="shop", version=CANARY)
        await asyncio.sleep(0.3)
    return {
        "requests": seen.requests,
        "shifts": made,
        "broken": seen.broken.total(),
        "broken_by_kind": dict(seen.broken),
        "answers": dict(seen.answers),
        "last_canary_answer_ms": [round(value, 1) for value in lasts_ms],
    }


async def bench(*, rollouts: int, requests: int, trials: int) -> dict[str, Any]:
    """Measure all of it."""
    shifted = await shifts(rollouts=rollouts, requests=requests)
    killed = [await play(signal.SIGKILL) for _ in range(trials)]
    stopped = [await play(signal.SIGSTOP) for _ in range(trials)]
    workers = [await play(how, apart=True) for how in (signal.SIGKILL, signal.SIGSTOP)]
    seen = {
        "broken": shifted["broken"] + sum(outcome.broken for outcome in (*killed, *stopped, *workers)),
        "last_canary_answer_ms": max(shifted["last_canary_answer_ms"]),
        "killed_last_canary_answer_s": _worst([*killed, workers[0]]),
        "stopped_last_canary_answer_s": _worst([*stopped, workers[1]]),
    }
    return {
        "asked": ASKED,
        "seen": seen,
        "ok": all(seen[name] <= asked for name, asked in ASKED.items())
        and _measured(killed, stopped, workers),
        "shifts": shifted,
        "killed": [asdict(outcome) for outcome in killed],
        "stopped": [asdict(outcome) for outcome in stopped],
        "only_the_worker": [asdict(outcome) for outcome in workers],
        "load_average": os.getloadavg()[0],
    }


def _worst(outcomes: list[Outcome]) -> float:
    return round(max(outcome.last_s for outcome in outcomes), 2)


def _measured(*outcomes: list[Outcome]) -> bool:
    return all(outcome.canary_before > 0 for some in outcomes for outcome in some)


def main() -> int:
    """Measure and print; gives 0 where nothing is worse than asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print all that was measured")
    parser.add_argument("--rollouts", type=int, default=3)
    parser.add_argument("--requests", type=int, default=60_000)
    parser.add_argument("--trials", type=int, default=3)
    options = parser.parse_args()
    told = asyncio.run(bench(rollouts=options.rollouts, requests=options.requests, trials=options.trials))
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        for name, asked in ASKED.items():
            print(f"{name}: asked at most {asked}, seen {told['seen'][name]}")
    return 0 if told["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
