"""How far the canary judge can be trusted, and how fast it is.

``python -m bench.judge --json``: simulated canaries with a look every second, autocorrelated samples, the
cases of other projects' judges one by one, and the time of one judgement.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import judging_cases, judging_worlds
from bot.canary.samples import judge_samples
from bot.domain.rollouts.judging import SampleMetric

_POINTS = 1000
_GOAL_MS = 20.0
_MOST_FALSE_STOPS = 1.0


def measure(*, hours: int, repeats: int, data: Path, seed: int) -> dict[str, Any]:
    """Run everything."""
    stops = judging_worlds.false_stops(hours=hours, seed=seed)
    detection = judging_worlds.detection(repeats=repeats, seed=seed)
    passing = judging_worlds.passing(repeats=repeats, seed=seed)
    alarms = judging_worlds.samples(repeats=repeats, seed=seed)
    scale = judging_worlds.scale_free(repeats=repeats, seed=seed)
    agreement = judging_cases.agreement(data)
    speed = timing(seed=seed)
    return {
        "false_stops": stops,
        "detection": detection,
        "passing": passing,
        "samples": alarms,
        "power": judging_worlds.power(repeats=repeats, seed=seed),
        "scale_free": scale,
        "agreement": agreement,
        "timing": speed,
        "met": {
            "false_stops": all(world["stopped_percent"] <= _MOST_FALSE_STOPS for world in stops.values()),
            "detection": all(row.get("met", True) for row in detection),
            "false_passes": all(row["met"] for row in passing),
            "false_alarms": all(row["met"] for row in alarms),
            "scale_free": scale["met"],
            "differences_explained": not agreement["unexplained"],
            "timing": speed["met"],
        },
    }


def timing(*, seed: int) -> dict[str, Any]:
    """Judge 1,000 against 1,000 points; the whole verdict, milliseconds."""
    rng = np.random.default_rng(seed)
    metric = SampleMetric(
        name="x",
        canary=tuple(rng.lognormal(0, 1, _POINTS).tolist()),
        stable=tuple(rng.lognormal(0, 1, _POINTS).tolist()),
    )
    spent = []
    for _ in range(51):
        began = time.perf_counter()
        judge_samples(metric)
        spent.append((time.perf_counter() - began) * 1000)
    median = statistics.median(spent)
    return {
        "median_ms": round(median, 2),
        "max_ms": round(max(spent), 2),
        "goal_ms": _GOAL_MS,
        "met": median <= _GOAL_MS,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--hours", type=int, default=1000, help="simulated hours for each kind of traffic (1000)"
    )
    parser.add_argument("--repeats", type=int, default=1000, help="canaries of each kind (1000)")
    parser.add_argument(
        "--data", type=Path, default=judging_cases.folder(), help="folder with the cases of other judges"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the simulated traffic (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    result = measure(
        hours=arguments.hours, repeats=arguments.repeats, data=arguments.data, seed=arguments.seed
    )
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
