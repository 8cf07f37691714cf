"""A service that weighs little, for deployments of many processes: it answers, with its release's faults."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.shop.services.config import ServiceConfig
from demo.shop.services.feature import FlaggedFeature
from demo.shop.services.light_metrics import LightMetrics
from demo.shop.services.releases import release_of

_ANSWER_S = 0.005
_LAST_ANSWERS_S = 2.0


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True  # an idle connection must not delay the stop
    allow_reuse_port = True  # a new version starts beside the old one

    def __init__(self, config: ServiceConfig) -> None:
        super().__init__(("127.0.0.1", config.port), _Requests)
        self.config = config
        self.release = release_of(config.name, config.version)
        self.feature = FlaggedFeature(config)
        self.metrics = LightMetrics(config)
        self.closing = False
        self._answering = 0
        self._changed = threading.Condition()

    def answer(self, *, on: bool) -> HTTPStatus:
        """Wait as long as an answer takes, and return its outcome; ``on``: with what is behind the flag."""
        began = time.monotonic()
        time.sleep(_ANSWER_S * self.release.slowness)
        failed = random.random() < self.release.error_share or self.feature.fails(on=on)
        self.feature.count(on=on, ok=not failed)
        status = HTTPStatus.INTERNAL_SERVER_ERROR if failed else HTTPStatus.OK
        self.metrics.answered(status, took_s=time.monotonic() - began)
        return status

    def begun(self, change: int) -> None:
        """Count what is being answered: 1 more, or 1 less."""
        with self._changed:
            self._answering += change
            self._changed.notify_all()

    def until_answered(self) -> None:
        """Wait for the answers that are under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, timeout=_LAST_ANSWERS_S)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer of two writes waits for an acknowledgement
    server: _Server

    def do_GET(self) -> None:
        """Answer a question; the health pages are not among those that may fail."""
        if self.path in {"/healthz", "/readyz"}:
            well = self.server.release.comes_up
            self._say(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if self.path == "/metrics":
            text = self.server.metrics.text() + self.server.feature.text()
            self._write(HTTPStatus.OK, text.encode(), "text/plain; version=0.0.4")
            return
        self._answer()

    def do_POST(self) -> None:
        """Take what is sent and answer as to a question."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def log_message(self, *_: Any) -> None:  # noqa: ANN401  # as the standard library calls it
        """Log nothing: HAProxy counts the requests."""

    def _answer(self) -> None:
        self.server.begun(1)
        try:
            feature = self.server.feature
            on = feature.is_on(self.headers.get("X-User", ""))
            self._say(self.server.answer(on=on), feature=feature.flag if on else "")
        finally:
            self.server.begun(-1)

    def _say(self, status: HTTPStatus, *, feature: str = "") -> None:
        config = self.server.config
        told = {
            "status": "ok" if status is HTTPStatus.OK else "unavailable",
            "service": config.name,
            "version": config.version,
            "pid": os.getpid(),
        }
        self._write(status, json.dumps(told).encode(), "application/json", feature=feature)

    def _write(self, status: HTTPStatus, body: bytes, kind: str, *, feature: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Service-Version", self.server.config.version)
        if feature:
            self.send_header("X-Feature", feature)
        if self.server.closing:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def main(environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM; requests that are being answered are answered."""
    server = _Server(ServiceConfig.from_environment(environment))

    def stop(*_: object) -> None:
        server.closing = True
        # In a thread: ``shutdown`` waits for the loop that this handler has interrupted.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    server.until_answered()


if __name__ == "__main__":
    main(os.environ)
