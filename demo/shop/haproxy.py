"""HAProxy in front of what can be deployed, and its runtime socket, which decides what version is live."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from demo.shop.errors import ShopError
from demo.shop.haproxy_config import BACKEND, CANDIDATE, LEASE_TOKEN, STABLE, BackendConfig, config_text
from demo.shop.processes import ChildProcess, ProcessSpec, find_program, until

WHOLE = 100


@dataclass(frozen=True, kw_only=True)
class HAProxyServer:
    """One server of a backend as HAProxy sees it."""

    name: str
    weight: int
    """Its share of the traffic relative to the others, 0 to 256."""
    up: bool
    """Whether it would get traffic: its check is good, or its check is off now."""


@dataclass
class HAProxy:
    """One HAProxy with its backends; the first is checkout's."""

    folder: Path
    socket: Path
    stats_port: int
    backends: tuple[BackendConfig, ...]
    child: ChildProcess | None = None

    @property
    def port(self) -> int:
        """Where buyers reach checkout."""
        return self.backend(BACKEND).port

    @property
    def routes(self) -> Path:
        """The map of tenants to where they are routed; a line each, ``acme candidate``."""
        return self.folder / "routes.map"

    def backend(self, name: str) -> BackendConfig:
        """Find a backend by name."""
        return next(backend for backend in self.backends if backend.name == name)

    async def start(self) -> None:
        """Start it.

        Raises:
            ShopError: it is not installed or does not come up.
        """
        program = find_program("haproxy")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        config = self.folder / "haproxy.cfg"
        self.routes.write_text("", encoding="utf-8")
        text = config_text(self.backends, socket=self.socket, stats_port=self.stats_port, routes=self.routes)
        config.write_text(text, encoding="utf-8")
        self.child = ChildProcess(
            ProcessSpec(
                name="haproxy",
                command=[program, "-db", "-f", str(config)],
                output=self.folder / "haproxy.log",
                environment={LEASE_TOKEN: self._lease_token()},
            )
        )
        await self.child.start()
        await until(self._answers, what="HAProxy", timeout_s=60)

    def _lease_token(self) -> str:
        return next((backend.lease.holder.token for backend in self.backends if backend.lease), "")

    async def stop(self) -> None:
        """Stop it."""
        if self.child is not None:
            await self.child.stop()
        self.socket.unlink(missing_ok=True)

    async def servers(self, backend: str = BACKEND) -> dict[str, HAProxyServer]:
        """Read the weight and health of each server.

        Raises:
            ShopError: the runtime socket does not answer.
        """
        text = await self.command("show stat")
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        return {
            row["svname"]: HAProxyServer(
                name=row["svname"], weight=int(row["weight"]), up=row["status"].startswith(("UP", "no check"))
            )
            for row in rows
            if row["pxname"] == backend and row["svname"] not in {"FRONTEND", "BACKEND"}
        }

    async def set_weights(self, weights: dict[str, int]) -> None:
        """Shift checkout's traffic; a server's weight is absolute, 0 to 256."""
        # Up before down: at no moment are all weights 0.
        for name, weight in sorted(weights.items(), key=lambda item: -item[1]):
            await self.command(f"set server {BACKEND}/{name} weight {weight}")

    async def end_maintenance(self, server: str) -> None:
        """Let checkout's ``server`` take its share again, which the last deployment may have taken away."""
        await self.command(f"set server {BACKEND}/{server} state ready")

    async def hang_on_lease(self, server: str, *, hangs: bool) -> None:
        """Set whether checkout's ``server`` takes traffic only while its lease is held.

        In a release by the shop itself no process would hold one. Nothing happens to a server that has no
        lease to begin with.
        """
        lease = self.backend(BACKEND).lease
        if lease is None or lease.server != server:
            return
        if hangs:
            await self.command(f"enable health {BACKEND}/{server}")
            return
        await self.command(f"disable health {BACKEND}/{server}")
        await self.command(f"set server {BACKEND}/{server} health up")

    async def command(self, line: str) -> str:
        """Send one line to the runtime socket and return the answer.

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


def live(servers: dict[str, HAProxyServer]) -> str:
    """Name the server that gets most of the traffic; ``stable`` when neither does."""
    weights = {name: server.weight for name, server in servers.items()}
    return CANDIDATE if weights.get(CANDIDATE, 0) > weights.get(STABLE, 0) else STABLE
