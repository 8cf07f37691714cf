"""HAProxy in front of checkout, and its runtime socket, which decides what version is live."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from demo.errors import ShopError
from demo.processes import Child, Spec, find_program, until

BACKEND = "checkout"
STABLE, CANDIDATE = "stable", "candidate"
WHOLE = 100

_CONFIG = """\
global
    nbthread 1
    maxconn 500
    stats socket {socket} mode 600 level admin
    stats timeout 1m

defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 10s
    retries 1

frontend checkout_in
    bind 127.0.0.1:{port}
    default_backend {backend}

backend {backend}
    balance roundrobin
    option httpchk GET /healthz
    http-response set-header X-Served-By %s
    server {stable} 127.0.0.1:{stable_port} weight {whole} check inter 500ms fall 3 rise 1
    server {candidate} 127.0.0.1:{candidate_port} weight 0 check inter 500ms fall 3 rise 1

frontend stats
    bind 127.0.0.1:{stats_port}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    stats enable
    stats uri /
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server of the backend as HAProxy sees it."""

    name: str
    weight: int
    """Its share of the traffic relative to the others, 0 to 256."""
    up: bool


@dataclass
class HAProxy:
    """One HAProxy; ports are those it listens on and those of the two checkout processes."""

    folder: Path
    socket: Path
    port: int
    stats_port: int
    server_ports: dict[str, int]
    child: Child | None = None

    async def start(self) -> None:
        """Start it.

        Raises:
            ShopError: it is not installed or does not come up.
        """
        program = find_program("haproxy")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        config = self.folder / "haproxy.cfg"
        config.write_text(
            _CONFIG.format(
                socket=self.socket,
                port=self.port,
                backend=BACKEND,
                stable=STABLE,
                candidate=CANDIDATE,
                whole=WHOLE,
                stable_port=self.server_ports[STABLE],
                candidate_port=self.server_ports[CANDIDATE],
                stats_port=self.stats_port,
            ),
            encoding="utf-8",
        )
        self.child = Child(
            Spec(
                name="haproxy",
                command=[program, "-db", "-f", str(config)],
                output=self.folder / "haproxy.log",
            )
        )
        await self.child.start()
        await until(self._answers, what="HAProxy", timeout_s=10)

    async def stop(self) -> None:
        """Stop it."""
        if self.child is not None:
            await self.child.stop()
        self.socket.unlink(missing_ok=True)

    async def servers(self) -> dict[str, Server]:
        """Read the weight and health of each server.

        Raises:
            ShopError: the runtime socket does not answer.
        """
        text = await self.command("show stat")
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        return {
            row["svname"]: Server(
                name=row["svname"], weight=int(row["weight"]), up=row["status"].startswith("UP")
            )
            for row in rows
            if row["pxname"] == BACKEND and row["svname"] not in {"FRONTEND", "BACKEND"}
        }

    async def set_weights(self, weights: dict[str, int]) -> None:
        """Shift the traffic; a server's weight is absolute, 0 to 256."""
        # Up before down: at no moment are all weights 0.
        for name, weight in sorted(weights.items(), key=lambda item: -item[1]):
            await self.command(f"set server {BACKEND}/{name} weight {weight}")

    async def command(self, line: str) -> str:
        """Say one line to the runtime socket and return the answer.

        Raises:
            ShopError: the socket does not answer.
        """
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
                try:
                    writer.write(f"{line}\n".encode())
                    await writer.drain()
                    return (await reader.read()).decode()
                finally:
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            raise ShopError(f"HAProxy's runtime socket does not answer: {error!r}") from error

    async def _answers(self) -> bool:
        try:
            return bool(await self.servers())
        except ShopError:
            return False


def live(servers: dict[str, Server]) -> str:
    """Name the server that gets most of the traffic; ``stable`` when neither does."""
    weights = {name: server.weight for name, server in servers.items()}
    return CANDIDATE if weights.get(CANDIDATE, 0) > weights.get(STABLE, 0) else STABLE
