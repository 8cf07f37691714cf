"""Small made-up systems: a shop of four services, ordinary for half an hour, then not."""

from __future__ import annotations

import numpy as np

from bot.diagnosis.offline.case import CaseLogLine, Column, SpanBucket, Telemetry

CALLS = (("web", "orders"), ("web", "catalogue"), ("orders", "payments"), ("orders", "catalogue"))
SERVICES = ("web", "orders", "payments", "catalogue")
METRICS = ("latency_p50", "latency_p99", "availability", "cpu_percent", "requests")
LEVELS = {
    "latency_p50": 0.02,
    "latency_p99": 0.1,
    "availability": 100.0,
    "cpu_percent": 12.0,
    "requests": 300.0,
}
ROWS = 34
STEP_S = 60.0
START_S = 1_700_000_000.0
ONSET_ROW = 30
ONSET_S = START_S + ONSET_ROW * STEP_S


def ordinary(*, seed: int = 0) -> dict[tuple[str, str], np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        (service, metric): np.minimum(LEVELS[metric] * rng.lognormal(0, 0.08, ROWS), _most(metric))
        for service in SERVICES
        for metric in METRICS
    }


def _most(metric: str) -> float:
    return 100.0 if metric in ("availability", "cpu_percent") else np.inf


def well() -> dict[tuple[str, str], np.ndarray]:
    series = ordinary()
    for (_, metric), values in series.items():
        if metric == "availability":
            values[:] = 100.0
    return series


def case(
    series: dict[tuple[str, str], np.ndarray],
    *,
    spans: tuple[SpanBucket, ...] = (),
    lines: tuple[CaseLogLine, ...] = (),
    alerting: str = "web",
) -> Telemetry:
    return Telemetry(
        times_s=START_S + STEP_S * np.arange(ROWS, dtype=np.float64),
        columns=tuple(Column(service=service, metric=metric) for service, metric in series),
        values=np.array(list(series.values())).T,
        calls=CALLS,
        alerting=alerting,
        spans=spans,
        lines=lines,
    )


def slow(series: dict[tuple[str, str], np.ndarray], service: str, *, times: float) -> None:
    for metric in ("latency_p50", "latency_p99"):
        series[service, metric][ONSET_ROW:] *= times


def payments_fail() -> dict[tuple[str, str], np.ndarray]:
    """Payments fail and are slow; so are all in front of them, the foremost the loudest."""
    series = well()
    for service, lost, times in (("payments", 12.0, 6.0), ("orders", 14.0, 7.0), ("web", 16.0, 8.0)):
        series[service, "availability"][ONSET_ROW:] -= lost
        slow(series, service, times=times)
    return series


def payments_burn() -> dict[tuple[str, str], np.ndarray]:
    """Payments run out of CPU; those in front of them are slow."""
    series = well()
    series["payments", "cpu_percent"][ONSET_ROW:] = 95.0
    for service, times in (("payments", 3.0), ("orders", 9.0), ("web", 9.0)):
        slow(series, service, times=times)
    return series


def payments_burn_unnoticed() -> dict[tuple[str, str], np.ndarray]:
    """Payments run out of CPU, and nobody is slow for it yet."""
    series = well()
    series["payments", "cpu_percent"][ONSET_ROW:] = 95.0
    return series


def wire_of_orders(*, lost_ms: float) -> tuple[SpanBucket, ...]:
    """Every call to orders loses time on the way back since the onset; the others are as ever."""
    buckets = []
    for caller, callee in CALLS:
        for number in range(-6, 18):
            slow_wire = callee == "orders" and number >= 0
            buckets.append(
                SpanBucket(
                    time_s=ONSET_S + 10 * number,
                    service=callee,
                    operation=f"GET /{callee}",
                    parent=caller,
                    count=20,
                    p50_ms=8.0,
                    lag_start_ms=1.5,
                    lag_end_ms=lost_ms if slow_wire else 1.2,
                )
            )
    return tuple(buckets)


def broken_request(
    *, service: str = "payments", since: str = "charge refused by rule 7"
) -> tuple[CaseLogLine, ...]:
    """Every service logs a request's begin and end; since the onset the ends of one service are missing."""
    lines = []
    for second in range(-180, 120, 3):
        for name in SERVICES:
            begin, end = f"{name} takes a request", f"{name} has answered"
            broken = name == service and second >= 0
            lines.append(CaseLogLine(time_s=ONSET_S + second, service=name, level="INFO", message=begin))
            text, level = (since, "ERROR") if broken else (end, "INFO")
            lines.append(CaseLogLine(time_s=ONSET_S + second + 1, service=name, level=level, message=text))
    return tuple(lines)
