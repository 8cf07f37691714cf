"""A shop in a process of its own, as an operator sees it, and a webhook that remembers what it was told."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.support.waiting import until_now

ROOT = Path(__file__).resolve().parents[2]
WEBHOOK_TOKEN = "a-webhook-token"

T = TypeVar("T")


class Listener:
    """A server on a free port of loopback that answers as its handler does, quietly, until it is closed."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        quiet = type("Quiet", (handler,), {"log_message": lambda *_: None})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), quiet)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Webhook(Listener):
    """Receives what Alertmanager sends; refuses whoever lacks the token."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        received = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                known = self.headers.get("Authorization") == f"Bearer {WEBHOOK_TOKEN}"
                if known:
                    received.extend(body["alerts"])
                self.send_response(200 if known else 401)
                self.end_headers()

        super().__init__(Handler)
        self.url = f"http://{self.address}/alerts"


@dataclass
class OpenShop:
    """A shop in a process of its own, as an operator sees it."""

    facts: dict[str, Any]
    webhook: Webhook
    http: httpx.Client
    _seen: int = field(default=0)

    @property
    def env(self) -> dict[str, str]:
        return dict(self.facts["env"])

    def get(self, path: str, **params: str) -> dict[str, Any]:
        answer = self.http.get(path, params=params)
        answer.raise_for_status()
        return dict(answer.json())

    def fault(self, name: str) -> dict[str, Any]:
        return next(fault for fault in self.get("/faults")["faults"] if fault["name"] == name)

    def begin(self, name: str, **parameters: Any) -> None:
        """Switch a fault on; from here on only newer alerts count."""
        self._seen = len(self.webhook.alerts)
        answer = self.http.post(f"/faults/{name}", json=parameters)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "on"

    def error_ratio(self, window_s: int = 2) -> float:
        recent = self.get("/load", window_s=str(window_s))["recent"]
        return 0.0 if recent["error_ratio"] is None else float(recent["error_ratio"])

    def until_failing(self, *, more_than: float) -> None:
        until_now(lambda: self.error_ratio() > more_than, what=f"more than {more_than:.0%} of buyers fail")

    def until_well(self) -> None:
        until_now(lambda: self.error_ratio() == 0.0, what="no buyer fails any more")

    def firing(self) -> list[tuple[str, str]]:
        found = self.get("/status")["alerts"]
        assert found is not None
        return [(alert["alertname"], alert["service"]) for alert in found]

    def until_not_firing(self, name: str, service: str) -> None:
        until_now(lambda: (name, service) not in self.firing(), what=f"{name} of {service} does not fire")

    def run_until_stopped(self, name: str, service: str, status: str = "firing") -> dict[str, Any]:
        """Wait for the webhook to hear of an alert since the fault began."""

        def told() -> dict[str, Any] | None:
            for alert in self.webhook.alerts[self._seen :]:
                labels = alert["labels"]
                if (labels["alertname"], labels["service"], alert["status"]) == (name, service, status):
                    return dict(alert)
            return None

        found = until_now(told, what=f"the webhook hears {name} of {service} is {status}", within_s=90)
        assert found is not None
        return found

    def log_lines(self, pattern: str, *, since: str = "") -> list[dict[str, Any]]:
        """Read the lines of all logs whose name matches, from ``since`` on."""
        lines = [
            json.loads(line)
            for path in sorted(Path(self.env["SHOP_LOG_DIR"]).glob(pattern))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        return [line for line in lines if line["ts"] >= since]

    def query(self, expression: str) -> float:
        """Return one number from Prometheus, or NaN, which no comparison holds for, while there is no series."""
        answer = self.http.get(
            f"{self.env['SHOP_PROMETHEUS_URL']}/api/v1/query", params={"query": expression}
        )
        result = answer.json()["data"]["result"]
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else math.nan


def start_shop(state_dir: Path, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Open a shop in a process of its own and wait until it says so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--state-dir", str(state_dir), "--json", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the shop did not open: exit code {process.wait()}"
    return process, json.loads(line)


def stop_shop(process: subprocess.Popen[str]) -> int:
    process.terminate()
    code = process.wait(timeout=60)
    assert process.stdout is not None
    process.stdout.close()
    return code


def family(pid: int) -> set[int]:
    """Find a process and all that stem from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            if parent is not None:
                parents[int(entry.name)] = parent
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Tell which of the processes still run; one that only waits to be reaped does not."""
    return {pid for pid in pids if _parent(pid) is not None}


def _parent(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[1])
