"""What the shop alerts on: one rule a kind of trouble, evaluated every second over ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WINDOW = "10s"


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One rule; its expression yields a series for each ``service`` in trouble."""

    name: str
    expression: str
    for_s: int
    severity: str
    summary: str
    description: str

    @property
    def in_general(self) -> str:
        """The description without a service's name in it, as a sentence."""
        text = self.description.replace("{{ $labels.service }}", "a service")
        return text[0].upper() + text[1:]

    def to_json(self, *, runbook_url: str) -> dict[str, Any]:
        """Write it as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": f"{self.for_s}s",
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{runbook_url}#{self.name}",
            },
        }


def _error_share(services: str) -> str:
    selected = f'http_requests_total{{service=~"{services}"'
    failed = f'sum by (service) (rate({selected},status=~"5.."}}[{WINDOW}]))'
    return f"{failed} / sum by (service) (rate({selected}}}[{WINDOW}])) > 0.05"


RULES = (
    AlertRule(
        name="CheckoutHighErrorRate",
        expression=_error_share("storefront|checkout"),
        for_s=3,
        severity="page",
        summary="{{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests",
        description="{{ $labels.service }} answers more than 5 % of requests with 5xx; buyers see errors.",
    ),
    AlertRule(
        name="PaymentsErrors",
        expression=_error_share("payments"),
        for_s=3,
        severity="page",
        summary="{{ $labels.service }} fails {{ $value | humanizePercentage }} of its charges",
        description="{{ $labels.service }} answers more than 5 % of requests with 5xx; charges fail.",
    ),
    AlertRule(
        name="ServiceErrors",
        expression=_error_share("search|search@staging|receipts|gift-cards"),
        for_s=3,
        severity="page",
        summary="{{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests",
        description="{{ $labels.service }} answers more than 5 % of requests with 5xx.",
    ),
    AlertRule(
        name="HighLatency",
        expression=(
            "histogram_quantile(0.95, sum by (service, le) "
            f"(rate(http_request_duration_seconds_bucket[{WINDOW}]))) > 0.75"
        ),
        for_s=5,
        severity="warning",
        summary="{{ $labels.service }} takes {{ $value | humanizeDuration }} (95th percentile)",
        description="One request in twenty to {{ $labels.service }} takes longer than 0.75 s.",
    ),
    AlertRule(
        name="ServiceDown",
        expression='max by (service) (max_over_time(up{job="services"}[3s])) == 0',
        for_s=2,
        severity="page",
        summary="{{ $labels.service }} does not answer",
        description="No process of {{ $labels.service }} has answered Prometheus for more than 3 s.",
    ),
    AlertRule(
        name="DatabaseConnectionsExhausted",
        expression=(
            "max by (service) (avg_over_time(db_pool_connections_in_use[5s]) / db_pool_connections_max) > 0.9"
        ),
        for_s=2,
        severity="page",
        summary="{{ $labels.service }} has no free database connection",
        description="More than 90 % of the connections in the pool of {{ $labels.service }} are busy.",
    ),
    AlertRule(
        name="ServiceSaturated",
        expression=(
            f'max by (service) (rate(process_cpu_seconds_total{{job="services"}}[{WINDOW}])) > 0.25 or '
            'max by (service) (process_resident_memory_bytes{job="services"}) > 200e6'
        ),
        for_s=3,
        severity="warning",
        summary="{{ $labels.service }} is saturated",
        description="{{ $labels.service }} uses more than a quarter of a processor or 200 MB of memory.",
    ),
    AlertRule(
        name="LogVolumeHigh",
        expression=(
            f"sum by (service) (rate(log_lines_total[{WINDOW}])) > 40 and "
            f"sum by (service) (rate(log_lines_total[{WINDOW}])) / "
            f"sum by (service) (rate(http_requests_total[{WINDOW}])) > 1.5"
        ),
        for_s=3,
        severity="warning",
        summary="{{ $labels.service }} writes {{ $value | humanize }} log lines a second",
        description="{{ $labels.service }} writes far more log lines than it answers requests.",
    ),
)
