"""What a light service counts for Prometheus: its answers by status, named as in the other services."""

from __future__ import annotations

import threading
from collections import Counter
from http import HTTPStatus

from demo.shop.services.config import ServiceConfig

_COUNTED = (HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR)


class LightMetrics:
    """Counters of one process; threads may count at once."""

    def __init__(self, config: ServiceConfig) -> None:
        """Begin at 0 for each status, so that the first failures are seen as a rise."""
        self._labels = f'service="{config.address or config.name}",version="{config.version}"'
        self._lock = threading.Lock()
        self._answers = Counter(dict.fromkeys(_COUNTED, 0))
        self._took_s = 0.0

    def answered(self, status: HTTPStatus, *, took_s: float) -> None:
        """Count one answer to a question, and the seconds that it took."""
        with self._lock:
            self._answers[status] += 1
            self._took_s += took_s

    def text(self) -> str:
        """Return the counters in the text format of Prometheus."""
        with self._lock:
            answers, took_s = dict(self._answers), self._took_s
        path = f'{self._labels},path="/"'
        return "\n".join(
            (
                "# TYPE http_requests_total counter",
                *(
                    f'http_requests_total{{{path},status="{status.value}"}} {count}'
                    for status, count in answers.items()
                ),
                "# TYPE http_request_duration_seconds summary",
                f"http_request_duration_seconds_sum{{{path}}} {took_s}",
                f"http_request_duration_seconds_count{{{path}}} {sum(answers.values())}",
                "",
            )
        )
