"""Simulated canaries: error counts second by second, and autocorrelated samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.canary.counts import passing_threshold
from bot.canary.evidence import log_odds_harmless, log_odds_no_worse, log_odds_worse
from bot.canary.samples import judge_samples
from bot.domain.rollouts.judging import CountMetric, SampleMetric
from bot.domain.rollouts.verdict import MetricOutcome

HOUR_S = 3600
REQUESTS_PER_S = 50.0
SHARE = 0.1
USUAL = CountMetric(name="x")
"""What a metric of counts has if it names nothing else."""
PASSES_AT = passing_threshold(USUAL)
MOST_FALSE_PASSES_PERCENT = 100 * USUAL.beta
TOLERATED = 0.05
MOST_ALARMS_PERCENT = 2.0
FAULTS = (
    (0.005, 2, 667), (0.005, 5, 76), (0.005, 10, 29), (0.02, 2, 184), (0.02, 5, 21), (0.02, 10, 8),
)  # fmt: skip
"""Error share of stable, times as many on the canary, median seconds until it was seen elsewhere."""


@dataclass(frozen=True)
class Seconds:
    """Cumulative counters of one step, a value a second."""

    canary_requests: list[int]
    canary_errors: list[int]
    stable_requests: list[int]
    stable_errors: list[int]


def traffic(
    rng: np.random.Generator, *, base: float, ratio: float, share: float = SHARE, seconds: int = HOUR_S
) -> Seconds:
    """Draw Poisson traffic, each request sent to the canary with probability ``share``."""
    canary = rng.poisson(REQUESTS_PER_S * share, seconds)
    stable = rng.poisson(REQUESTS_PER_S * (1 - share), seconds)
    drawn = (canary, rng.binomial(canary, base * ratio), stable, rng.binomial(stable, base))
    return Seconds(*(np.cumsum(counts).tolist() for counts in drawn))


def seen_after_s(steps: Sequence[Seconds]) -> int | None:
    """Look every second; tell after how many the canary is stopped: the judge's rule without its words."""
    gained, before, canary_before, expected_before = 0.0, 0, 0, 0.0
    threshold = math.log(1 / USUAL.alpha)
    for step in steps:
        e = share = 0.0
        n, k, stable, m = 0, 0, 0, 0
        for second, (n, k, stable, m) in enumerate(_looks(step), start=1):
            share = n / (n + stable) if n + stable else 0.0
            e = gained + log_odds_worse(k, m, share=share)
            if e >= threshold and canary_before + k > expected_before + (k + m) * share:
                return before + second
        gained, before = e, before + len(step.canary_errors)
        canary_before, expected_before = canary_before + k, expected_before + (k + m) * share
    return None


def _looks(step: Seconds) -> Iterator[tuple[int, int, int, int]]:
    return zip(
        step.canary_requests, step.canary_errors, step.stable_requests, step.stable_errors, strict=True
    )


def false_stops(*, hours: int, seed: int) -> dict[str, Any]:
    """Watch canaries that are as good as stable."""
    rng = np.random.default_rng(seed)
    worlds = {
        "base_0.5_percent": lambda: [traffic(rng, base=0.005, ratio=1)],
        "base_2_percent": lambda: [traffic(rng, base=0.02, ratio=1)],
        "steps_5_10_25_50_percent": lambda: [
            traffic(rng, base=0.005, ratio=1, share=share, seconds=HOUR_S // 4)
            for share in (0.05, 0.1, 0.25, 0.5)
        ],
    }
    return {
        name: {"hours": hours, "stopped_percent": _percent([seen_after_s(draw()) for _ in range(hours)])}
        for name, draw in worlds.items()
    }


def detection(*, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Watch canaries that are worse; seconds beside the figures asked for."""
    rng = np.random.default_rng(seed)
    rows = []
    for base, ratio, asked_s in FAULTS:
        found = [seen_after_s([traffic(rng, base=base, ratio=ratio)]) for _ in range(repeats)]
        median_s = float(np.median([HOUR_S * 2 if seconds is None else seconds for seconds in found]))
        rows.append({
            "base_percent": base * 100, "ratio": ratio, "median_s": median_s, "asked_s": asked_s,
            "seen_percent": _percent(found), "met": median_s <= asked_s * 1.1,
        })  # fmt: skip
    rare = [seen_after_s([traffic(rng, base=0.001, ratio=2)]) for _ in range(repeats)]
    rows.append({"base_percent": 0.1, "ratio": 2, "seen_percent": _percent(rare), "elsewhere_percent": 51})
    return rows


def passing(*, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Watch canaries that are as good as stable or twice as bad: how many pass in an hour, and how soon."""
    rng = np.random.default_rng(seed)
    rows = []
    for base, ratio in ((0.005, 1), (0.02, 1), (0.005, 2), (0.02, 2)):
        passed = [_passed_after_s(traffic(rng, base=base, ratio=ratio)) for _ in range(repeats)]
        seconds = [found for found in passed if found is not None]
        rows.append({
            "base_percent": base * 100, "ratio": ratio, "passed_percent": _percent(passed),
            "median_s": float(np.median(seconds)) if seconds else None,
            "met": ratio == 1 or _percent(passed) <= MOST_FALSE_PASSES_PERCENT,
        })  # fmt: skip
    return rows


def _passed_after_s(step: Seconds) -> int | None:
    """Look every second until it passes or is stopped."""
    stopped = seen_after_s([step])
    for second, (n, k, stable, m) in enumerate(_looks(step), start=1):
        if second == stopped:
            return None
        share = n / (n + stable) if n + stable else 0.0
        ruled_out = max(
            log_odds_no_worse(k, m, share=share, ratio=USUAL.harmful_ratio),
            log_odds_harmless(n, k, below=USUAL.harmless_share),
        )
        if n >= USUAL.min_requests and ruled_out >= PASSES_AT:
            return second
    return None


def _percent(found: Sequence[int | None]) -> float:
    return 100 * sum(seconds is not None for seconds in found) / len(found)


def series(
    rng: np.random.Generator, *, phi: float, size: int, mean: float = 10.0, cv: float = 0.2
) -> list[float]:
    """Draw a stationary AR(1) series with coefficient of variation ``cv``."""
    noise = rng.normal(0, math.sqrt(1 - phi * phi), size)
    values = [rng.normal()]
    for shock in noise[1:]:
        values.append(phi * values[-1] + shock)
    return [mean * (1 + cv * value) for value in values]


def samples(*, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Compare equal series, both ways harming: with the usual tolerance, and with none."""
    rng = np.random.default_rng(seed)
    rows = []
    for phi in (0.0, 0.3, 0.5, 0.8, 0.9):
        for size in (60, 200):
            usual, strict = (
                _failing(rng, repeats, phi=phi, size=size, times=1.0, tolerated=tolerated, direction="either")
                for tolerated in (TOLERATED, 0.0)
            )
            rows.append({
                "phi": phi, "n": size, "false_alarms_percent": usual, "without_tolerance_percent": strict,
                "met": usual <= MOST_ALARMS_PERCENT,
            })  # fmt: skip
    return rows


def power(*, repeats: int, seed: int) -> list[dict[str, Any]]:
    """Tell how often a shift is seen, with the tolerance that a metric has if it names none."""
    rng = np.random.default_rng(seed)
    asked = ((0.0, 1.1, 26), (0.0, 1.25, 99.6), (0.0, 1.5, 100), (0.8, 1.5, 49), (0.9, 1.5, 23))
    return [
        {
            "phi": phi, "times": times, "n": 60, "elsewhere_percent": known,
            "seen_percent": _failing(rng, repeats, phi=phi, size=60, times=times, tolerated=TOLERATED),
        }
        for phi, times, known in asked
    ]  # fmt: skip


def _failing(
    rng: np.random.Generator,
    repeats: int,
    *,
    phi: float,
    size: int,
    times: float,
    tolerated: float,
    direction: str = "increase",
) -> float:
    failed = 0
    for _ in range(repeats):
        metric = SampleMetric.model_validate({
            "name": "x", "direction": direction, "tolerated_change": tolerated,
            "canary": series(rng, phi=phi, size=size, mean=10 * times),
            "stable": series(rng, phi=phi, size=size),
        })  # fmt: skip
        failed += judge_samples(metric).outcome is MetricOutcome.FAIL
    return 100 * failed / repeats


def scale_free(*, repeats: int, seed: int) -> dict[str, Any]:
    """Judge data and the same data times 1e-6."""
    rng = np.random.default_rng(seed)
    same = 0
    for number in range(repeats):
        canary = series(rng, phi=0.3, size=40, mean=10 * (1 + number / repeats))
        stable = series(rng, phi=0.3, size=40)
        small = SampleMetric(name="x", canary=_times(canary, 1e-6), stable=_times(stable, 1e-6))
        same += judge_samples(small).outcome is judge_samples(small.model_copy(
            update={"canary": tuple(canary), "stable": tuple(stable)}
        )).outcome  # fmt: skip
    return {"cases": repeats, "same": same, "met": same == repeats}


def _times(values: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(value * factor for value in values)
