"""The families of metrics that a service has: how each is queried, what hurts, and how it is worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from bot.diagnosis.signals.anomalies import AnomalyRule
from bot.domain.diagnoses.finding import FindingKind

NAMES: Mapping[str, str] = {
    "requests": "http_requests_total",
    "status": "status",
    "version": "version",
    "duration": "http_request_duration_seconds",
    "cpu": "process_cpu_seconds_total",
    "memory": "process_resident_memory_bytes",
    "pool_used": "db_pool_connections_in_use",
    "pool_max": "db_pool_connections_max",
    "calls": "dependency_requests_total",
    "call_duration": "dependency_request_duration_seconds",
    "call_status": "status",
    "dependency": "dependency",
}
"""Ordinary names of metrics and labels; a source in the catalogue may name others under the same keys."""


@dataclass(frozen=True, kw_only=True)
class MetricFamily:
    """One family; ``expr`` is PromQL with ``$sel`` (label matchers), ``$w`` (window) and names."""

    name: str
    kind: FindingKind
    expr: str
    unit: str
    rule: AnomalyRule
    says: str
    """A sentence with ``{service}``, ``{label}``, ``{value}`` and ``{usual}``."""
    by: str = ""
    """The key in ``NAMES`` of the label that splits it."""
    counts_failures: bool = False
    """A share of requests: it needs a few failing ones to mean anything."""

    def query(self, *, selector: str, window_s: int, names: Mapping[str, str]) -> str:
        """Write the PromQL of one service."""
        known = {**NAMES, **{key: name for key, name in names.items() if key in NAMES}}
        return Template(self.expr).substitute(known, sel=selector, w=f"{window_s}s")


_BREATH = 5
"""Samples for which a delay must last: a machine that is busy for a moment slows everything down."""
REQUESTS = "request_rate"
ERRORS_BY_VERSION = "error_ratio_by_version"

MORE_REQUESTS = MetricFamily(
    name=REQUESTS,
    kind=FindingKind.TRAFFIC_UP,
    expr="sum(rate($requests{$sel}[$w]))",
    unit="req/s",
    rule=AnomalyRule(floor=10.0, half=2.0, relative=True, ratio=3.0, min_after=_BREATH),
    says="{service} receives {value}, usually {usual}",
)
"""The same series in the other direction: it may explain an alert, but it is not trouble in itself."""

FAMILIES: tuple[MetricFamily, ...] = (
    MetricFamily(
        name="error_ratio",
        kind=FindingKind.ERROR_RATE_UP,
        expr='(sum(rate($requests{$sel,$status=~"5.."}[$w])) or vector(0)) / sum(rate($requests{$sel}[$w]))',
        unit="ratio",
        rule=AnomalyRule(floor=0.02, half=0.05, limit=0.05),
        says="{service} answers {value} of its requests with a server error, usually {usual}",
        counts_failures=True,
    ),
    MetricFamily(
        name=ERRORS_BY_VERSION,
        kind=FindingKind.ERROR_RATE_UP,
        expr=(
            '(sum by ($version) (rate($requests{$sel,$status=~"5.."}[$w]))'
            " or 0 * sum by ($version) (rate($requests{$sel}[$w])))"
            " / sum by ($version) (rate($requests{$sel}[$w]))"
        ),
        unit="ratio",
        rule=AnomalyRule(floor=0.02, half=0.05, limit=0.05),
        says="{service} {label} answers {value} of its requests with a server error, usually {usual}",
        by="version",
        counts_failures=True,
    ),
    MetricFamily(
        name=REQUESTS,
        kind=FindingKind.TRAFFIC_DROP,
        expr="sum(rate($requests{$sel}[$w]))",
        unit="req/s",
        rule=AnomalyRule(direction="down", floor=1.0, half=0.5, relative=True, ratio=2.0, min_after=3),
        says="{service} receives {value}, usually {usual}",
    ),
    MetricFamily(
        name="latency_mean",
        kind=FindingKind.LATENCY_UP,
        expr="sum(rate(${duration}_sum{$sel}[$w])) / sum(rate(${duration}_count{$sel}[$w]))",
        unit="s",
        rule=AnomalyRule(floor=0.1, half=0.3, ratio=2.0, min_after=_BREATH),
        says="{service} takes {value} to answer on average, usually {usual}",
    ),
    MetricFamily(
        name="latency_p95",
        kind=FindingKind.LATENCY_UP,
        expr="histogram_quantile(0.95, sum by (le) (rate(${duration}_bucket{$sel}[$w])))",
        unit="s",
        rule=AnomalyRule(floor=0.25, half=0.6, ratio=2.5, min_after=_BREATH),
        says="95 % of the answers of {service} take up to {value}, usually {usual}",
    ),
    MetricFamily(
        name="cpu",
        kind=FindingKind.CPU_HIGH,
        expr="max(rate($cpu{$sel}[$w]))",
        unit="cores",
        rule=AnomalyRule(floor=0.25, half=0.3, ratio=1.8, min_after=3),
        says="a process of {service} uses {value}, usually {usual}",
    ),
    MetricFamily(
        name="memory",
        kind=FindingKind.MEMORY_HIGH,
        expr="max($memory{$sel})",
        unit="bytes",
        rule=AnomalyRule(floor=48e6, half=0.5, relative=True, ratio=1.5),
        says="a process of {service} holds {value} of memory, usually {usual}",
    ),
    MetricFamily(
        name="pool",
        kind=FindingKind.POOL_EXHAUSTED,
        expr="max($pool_used{$sel} / $pool_max{$sel})",
        unit="ratio",
        rule=AnomalyRule(floor=0.4, half=0.25, limit=0.95),
        says="{value} of the connection pool of {service} is in use, usually {usual}",
    ),
    MetricFamily(
        name="dependency_errors",
        kind=FindingKind.DEPENDENCY_ERRORS,
        expr=(
            '(sum by ($dependency) (rate($calls{$sel,$call_status!~"[1-4].."}[$w]))'
            " or 0 * sum by ($dependency) (rate($calls{$sel}[$w])))"
            " / sum by ($dependency) (rate($calls{$sel}[$w]))"
        ),
        unit="ratio",
        rule=AnomalyRule(floor=0.02, half=0.05, limit=0.05),
        says="{value} of the calls of {service} to {label} fail, usually {usual}",
        by="dependency",
        counts_failures=True,
    ),
    MetricFamily(
        name="dependency_latency",
        kind=FindingKind.DEPENDENCY_SLOW,
        expr=(
            "sum by ($dependency) (rate(${call_duration}_sum{$sel}[$w]))"
            " / sum by ($dependency) (rate(${call_duration}_count{$sel}[$w]))"
        ),
        unit="s",
        rule=AnomalyRule(floor=0.1, half=0.3, ratio=2.0, min_after=_BREATH),
        says="calls of {service} to {label} take {value} on average, usually {usual}",
        by="dependency",
    ),
)
"""What is asked of every service; families a service does not have are simply empty."""
