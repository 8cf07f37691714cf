"""What every service counts and times for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from demo.shop.services.config import ServiceConfig

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0)
_STATUSES = ("200", "500", "502", "503", "504")


class Metrics:
    """A service's metrics in a registry of their own; ``service`` is a constant label of each."""

    def __init__(self, config: ServiceConfig) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._own = {"service": config.name, "version": config.version}
        self._service = {"service": config.name}
        self._requests = Counter(
            "http_requests_total",
            "Requests answered.",
            ["service", "version", "method", "path", "status"],
            registry=self.registry,
        )
        self._duration_s = Histogram(
            "http_request_duration_seconds",
            "Time to answer.",
            ["service", "version", "path"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "http_requests_in_flight", "Requests being worked on.", ["service"], registry=self.registry
        )
        self._calls = Counter(
            "dependency_requests_total",
            "Calls to other services.",
            ["service", "dependency", "status"],
            registry=self.registry,
        )
        self._call_s = Histogram(
            "dependency_request_duration_seconds",
            "Time that calls to other services take.",
            ["service", "dependency"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._lines = Counter(
            "log_lines_total", "Lines written to the log.", ["service", "level"], registry=self.registry
        )
        Gauge(
            "service_info",
            "Which version runs where.",
            ["service", "version", "slot"],
            registry=self.registry,
        ).labels(**self._own, slot=config.slot).set(1)
        self.in_flight = self._in_flight.labels(**self._service)

    def gauge(self, name: str, help_text: str) -> Gauge:
        """Make a gauge with the service's label already set."""
        return Gauge(name, help_text, ["service"], registry=self.registry).labels(**self._service)

    def counter(self, name: str, help_text: str) -> Counter:
        """Make a counter with the service's label already set."""
        return Counter(name, help_text, ["service"], registry=self.registry).labels(**self._service)

    def expect(self, method: str, path: str) -> None:
        """Start a route's counters at 0: a series that is born at 7 hides its first seven failures."""
        for status in _STATUSES:
            self._requests.labels(**self._own, method=method, path=path, status=status)
        self._duration_s.labels(**self._own, path=path)

    def answered(self, *, method: str, path: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(**self._own, method=method, path=path, status=str(status)).inc()
        self._duration_s.labels(**self._own, path=path).observe(seconds)

    def expect_dependency(self, dependency: str) -> None:
        """Start a dependency's counters at 0."""
        for status in ("200", "timeout", "unreachable", "500", "502", "503", "504"):
            self._calls.labels(**self._service, dependency=dependency, status=status)

    def called(self, dependency: str, *, status: str, seconds: float) -> None:
        """Count one call; ``status`` is an HTTP status, ``timeout`` or ``unreachable``."""
        self._calls.labels(**self._service, dependency=dependency, status=status).inc()
        self._call_s.labels(**self._service, dependency=dependency).observe(seconds)

    def logged(self, level: str) -> None:
        """Count one line of the log."""
        self._lines.labels(**self._service, level=level).inc()

    def render(self) -> bytes:
        """Write all of them in the text format of Prometheus."""
        return generate_latest(self.registry)
