"""A real HAProxy in front of real processes, and what may be asked of both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from aiohttp import web

from bench.rollouts.bot import TOKEN
from bench.rollouts.launcher import Launcher, ended
from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.change import Change
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.testing.stores import memory_context, memory_stores

CONFIG = """\
global
    nbthread 1
    stats socket {socket} mode 600 level {level}
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    timeout check {patience}
    retries 2
    option redispatch
frontend in
    bind 127.0.0.1:{port}
    default_backend shop
backend shop
    balance roundrobin
    option httpchk
    http-check send meth GET uri {check} hdr Authorization "Bearer {token}"
    http-response set-header X-Served-By %s
{persistence}    use-server canary if {{ req.hdr(x-tenant),map({map}) -m str candidate }}
{servers}
"""


@dataclass
class Ledger:
    """What was recorded of the service."""

    changes: list[Change] = field(default_factory=list)

    async def record(self, change: Change) -> None:
        """Keep one change."""
        self.changes.append(change)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:  # noqa: ARG002  # the port's
        """List them all, oldest first."""
        return tuple(self.changes)


@dataclass
class Floor:
    """HAProxy, the launcher and what a test may ask of both."""

    folder: Path
    launcher: Launcher
    port: int
    stable: tuple[str, ...] = ("blue",)
    lease_port: int = 0
    patience: str = "300ms"
    """How long HAProxy waits for what the lease's address answers."""
    level: str = "admin"
    persistence: tuple[str, ...] = ()
    """Lines of the backend that keep people on their server; ``cookie`` gives each server a name there."""
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=60))
    ledger: Ledger = field(default_factory=Ledger)
    haproxy: asyncio.subprocess.Process | None = None
    effects: int = 0

    async def up(self) -> None:
        """Start HAProxy, and anew with nothing but its configuration where it ran already."""
        await self.down()
        (self.folder / "routes.map").touch()
        config = self.folder / "haproxy.cfg"
        named = any(line.startswith("cookie ") for line in self.persistence)
        cookies = {name: f" cookie {name}" if named else "" for name in (*self.stable, "canary")}
        lines = [
            f"    server {name} 127.0.0.1:{self.launcher.ports[name]} weight 100{cookies[name]} {CHECK}"
            for name in self.stable
        ]
        # Without a lease a process that is starved for a moment is to stay up: the machine may be busy.
        asked = f"check addr 127.0.0.1 port {self.lease_port} fall 2" if self.lease_port else "check fall 8"
        candidate = self.launcher.ports["canary"]
        lines.append(
            f"    server canary 127.0.0.1:{candidate} weight 0{cookies['canary']} {asked} inter 100ms rise 1"
        )
        text = CONFIG.format(
            socket=self.folder / "s",
            level=self.level,
            patience=self.patience if self.lease_port else "2s",
            port=self.port,
            check="/leases/shop/canary" if self.lease_port else "/healthz",
            token=TOKEN,
            map=self.folder / "routes.map",
            persistence="".join(f"    {line}\n" for line in self.persistence),
            servers="\n".join(lines),
        )
        config.write_text(text, encoding="utf-8")
        self.haproxy = await asyncio.create_subprocess_exec(
            _haproxy(), "-db", "-q", "-f", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(60):
            while not await self.answers():  # noqa: ASYNC110  # it says nothing by itself when it is ready
                await asyncio.sleep(0.05)

    async def down(self) -> None:
        """Kill HAProxy."""
        if self.haproxy is not None:
            await ended(self.haproxy)
            (self.folder / "s").unlink(missing_ok=True)

    async def answers(self) -> bool:
        """Tell whether HAProxy serves, with every stable slot healthy."""
        with contextlib.suppress(OSError, httpx.HTTPError):
            rows = (await self.say("show servers state shop")).splitlines()[2:]
            up = {row.split()[3] for row in rows if row and row.split()[5] == "2"}
            return up.issuperset(self.stable) and (await self.get()).is_success
        return False

    def ctx(self, *, again: bool = False, timeout_s: float = 60, epoch: int = 1, **more: str) -> Context:
        """Make a context with an effect of its own, or with the last one ``again``."""
        self.effects += not again
        where = {
            "socket": str(self.folder / "s"),
            "backend": "shop",
            "stable": ",".join(self.stable),
            "candidate": "canary",
            "launch": f"{self.launcher.url}/launch",
            "map": str(self.folder / "routes.map"),
        }
        if self.lease_port:
            where["lease"] = f"http://127.0.0.1:{self.launcher.ports['canary']}/healthz"
        target = {"haproxy": {name: value for name, value in {**where, **more}.items() if value}}
        return memory_context(
            catalogue=Catalogue(services=(Service(name="shop", target=target),)),
            http=self.http,
            stores=replace(memory_stores(), ledger=self.ledger),
            effect=Effect(key=f"run1:deploy:{self.effects}", epoch=epoch),
            timeout_s=timeout_s,
        )

    async def get(self, path: str = "/", *, tenant: str = "") -> httpx.Response:
        """Ask through HAProxy."""
        return await self.http.get(f"http://127.0.0.1:{self.port}{path}", headers={"x-tenant": tenant})

    async def served(self, count: int = 100, *, tenant: str = "") -> Counter[str]:
        """Ask so often, one after the other, and count who answered."""
        return Counter([(await self.get(tenant=tenant)).text for _ in range(count)])

    async def say(self, line: str) -> str:
        """Say one line to the runtime socket."""
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "s"))
        writer.write(f"{line}\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return answer

    async def weights(self) -> dict[str, int]:
        """Read the weight of each server."""
        rows = (await self.say("show servers state shop")).splitlines()[2:]
        return {row.split()[3]: int(row.split()[7]) for row in rows if row}

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[Counter[str]]:
        """Ask all the time, also slowly; whatever is not a clean answer counts as ``broken``."""
        seen: Counter[str] = Counter()

        async def ask(path: str) -> None:
            while True:
                try:
                    answer = await self.get(path)
                    seen[answer.text if answer.is_success else f"broken {answer.status_code}"] += 1
                except httpx.HTTPError as error:
                    seen[f"broken {type(error).__name__}"] += 1
                await asyncio.sleep(0.002)

        tasks = [asyncio.create_task(ask(path)) for path in ("/", "/", "/slow")]
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _haproxy() -> str:
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SystemExit("Install haproxy: run `make servers`.")
    return found


def free_port() -> int:
    """Find a port on the loopback address that nobody listens on now, and no outgoing connection is given."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


CHECK = "check inter 100ms rise 1 fall 2"


@contextlib.asynccontextmanager
async def floor_with(
    stable: tuple[str, ...] = ("blue",),
    *,
    lease_port: int = 0,
    patience: str = "300ms",
    level: str = "admin",
    persistence: tuple[str, ...] = (),
) -> AsyncIterator[Floor]:
    """Bring the floor up with 1.4.1 in every stable slot."""
    launcher = Launcher({name: free_port() for name in (*stable, "canary")})
    runner = web.AppRunner(launcher.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    launcher.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with tempfile.TemporaryDirectory(prefix="floor-") as folder:  # a socket's path may not be long
        floor = Floor(Path(folder), launcher, free_port(), stable, lease_port, patience, level, persistence)
        try:
            for name in stable:
                await launcher.start(name, "1.4.1")
            await floor.up()
            yield floor
        finally:
            await floor.down()
            await launcher.close()
            await floor.http.aclose()
            await runner.cleanup()
