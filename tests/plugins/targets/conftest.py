"""A real HAProxy in front of real processes, and a launcher that starts versions in its slots."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.domain.catalogue import Catalogue, Service
from bot.domain.change import Change
from bot.domain.clock import SystemClock
from bot.domain.effect import Effect
from bot.engine.plugins import Context
from tests.servers import free_port, until

APP = """
import asyncio, signal, sys
version, port = sys.argv[1], int(sys.argv[2])
busy = set()
async def serve(reader, writer):
    try:
        while (head := await reader.readuntil(b"\\r\\n\\r\\n")):
            busy.add(reader)
            path = head.split()[1]
            if path == b"/slow": await asyncio.sleep(0.3)
            bad = version.endswith("bad") and path != b"/healthz"
            status = b"500 Bad" if bad else b"200 OK"
            writer.write(b"HTTP/1.1 %s\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (status, len(version), version.encode()))
            await writer.drain()
            busy.discard(reader)
    except (asyncio.IncompleteReadError, ConnectionError): pass
    finally:
        busy.discard(reader); writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    while busy: await asyncio.sleep(0.01)
asyncio.run(main())
"""

CONFIG = """\
global
    nbthread 1
    stats socket {socket} mode 600 level {level}
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    timeout check 300ms
    retries 2
    option redispatch
frontend in
    bind 127.0.0.1:{port}
    default_backend shop
backend shop
    balance roundrobin
    option httpchk GET {check}
    http-response set-header X-Served-By %s
    use-server canary if {{ req.hdr(x-tenant),map({map}) -m str candidate }}
{servers}
"""


@dataclass
class Launcher:
    """Starts real processes in slots, once a key, never under a stale token; the contract of ``launch:``."""

    ports: dict[str, int]
    url: str = ""
    running: dict[str, tuple[str, asyncio.subprocess.Process]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    starts: list[tuple[str, str]] = field(default_factory=list)
    refuse: str = ""
    """A version that is refused."""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/launch/{service}/{slot}", self._get)
        app.router.add_put("/launch/{service}/{slot}", self._put)
        app.router.add_delete("/launch/{service}/{slot}", self._delete)
        return app

    async def start(self, slot: str, version: str) -> None:
        await self.stop(slot)
        command = [sys.executable, "-I", "-c", APP, version, str(self.ports[slot])]
        self.running[slot] = (version, await asyncio.create_subprocess_exec(*command))
        self.starts.append((slot, version))

    async def stop(self, slot: str) -> None:
        if slot in self.running:
            process = self.running.pop(slot)[1]
            process.terminate()
            await process.wait()

    async def close(self) -> None:
        for slot in list(self.running):
            await ended(self.running.pop(slot)[1])

    async def _get(self, request: web.Request) -> web.Response:
        slot = request.match_info["slot"]
        version, _ = self.running.get(slot, ("", None))
        return web.json_response({"version": version, "state": "running" if version else "stopped"})

    async def _put(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["version"] == self.refuse:
            return web.json_response({"error": "no_such_version", "message": "No such version."}, status=422)
        return await self._once(request, body, self.start(request.match_info["slot"], body["version"]))

    async def _delete(self, request: web.Request) -> web.Response:
        return await self._once(request, await request.json(), self.stop(request.match_info["slot"]))

    async def _once(self, request: web.Request, body: Any, change: Any) -> web.Response:
        key, token = request.headers["Idempotency-Key"], int(request.headers["X-Fencing-Token"])
        asked = (request.method, request.path, body)
        if token < self.tokens.get(key, 0):
            change.close()
            return web.json_response({"error": "stale_fencing_token", "message": "stale"}, status=409)
        self.tokens[key] = token
        if key in self.answers:
            change.close()
            assert self.answers[key] == asked
            return web.json_response({})
        await change
        self.answers[key] = asked
        return web.json_response({})


@dataclass
class Ledger:
    """What was recorded of the service."""

    changes: list[Change] = field(default_factory=list)

    async def record(self, change: Change) -> None:
        self.changes.append(change)

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        return tuple(self.changes)


@dataclass
class Floor:
    """HAProxy, the launcher and what a test may ask of both."""

    folder: Path
    launcher: Launcher
    port: int
    stable: tuple[str, ...] = ("blue",)
    lease_port: int = 0
    level: str = "admin"
    http: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)
    ledger: Ledger = field(default_factory=Ledger)
    haproxy: asyncio.subprocess.Process | None = None
    effects: int = 0
    broken: int = 0

    async def up(self) -> None:
        """Start HAProxy, and anew with nothing but its configuration where it ran already."""
        await self.down()
        (self.folder / "routes.map").touch()
        config = self.folder / "haproxy.cfg"
        lines = [
            f"    server {name} 127.0.0.1:{self.launcher.ports[name]} weight 100 {CHECK}"
            for name in self.stable
        ]
        asked = f"check addr 127.0.0.1 port {self.lease_port}" if self.lease_port else "check"
        candidate = self.launcher.ports["canary"]
        lines.append(f"    server canary 127.0.0.1:{candidate} weight 0 {asked} inter 100ms rise 1 fall 2")
        text = CONFIG.format(
            socket=self.folder / "s",
            level=self.level,
            port=self.port,
            check="/leases/shop/canary" if self.lease_port else "/healthz",
            map=self.folder / "routes.map",
            servers="\n".join(lines),
        )
        config.write_text(text, encoding="utf-8")
        self.haproxy = await asyncio.create_subprocess_exec(
            _haproxy(), "-db", "-q", "-f", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        await until(self.answers, what="HAProxy")

    async def down(self) -> None:
        if self.haproxy is not None:
            await ended(self.haproxy)
            (self.folder / "s").unlink(missing_ok=True)

    async def answers(self) -> bool:
        with contextlib.suppress(OSError, httpx.HTTPError):
            rows = (await self.say("show servers state shop")).splitlines()[2:]
            up = {row.split()[3] for row in rows if row and row.split()[5] == "2"}
            return up.issuperset(self.stable) and (await self.get()).status_code == 200
        return False

    def ctx(self, *, again: bool = False, timeout_s: float = 20, epoch: int = 1, **more: str) -> Context:
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
        return Context(
            run_id="run1",
            step_id="step1",
            timeout_s=timeout_s,
            clock=SystemClock(),
            http=self.http,
            catalogue=Catalogue(services=(Service(name="shop", target=target),)),
            ledger=self.ledger,
            effect=Effect(key=f"run1:deploy:{self.effects}", epoch=epoch),
        )

    async def get(self, path: str = "/", *, tenant: str = "") -> httpx.Response:
        return await self.http.get(f"http://127.0.0.1:{self.port}{path}", headers={"x-tenant": tenant})

    async def served(self, count: int = 100, *, tenant: str = "") -> Counter[str]:
        """Ask so often, one after the other, and count who answered."""
        return Counter([(await self.get(tenant=tenant)).text for _ in range(count)])

    async def say(self, line: str) -> str:
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "s"))
        writer.write(f"{line}\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return answer

    async def weights(self) -> dict[str, int]:
        rows = (await self.say("show servers state shop")).splitlines()[2:]
        return {row.split()[3]: int(row.split()[7]) for row in rows if row}

    @contextlib.asynccontextmanager
    async def load(self, *, slow: bool = False) -> AsyncIterator[Counter[str]]:
        """Ask all the time, also slowly; whatever is not a clean answer counts as ``broken``."""
        seen: Counter[str] = Counter()

        async def ask(path: str) -> None:
            while True:
                try:
                    answer = await self.get(path)
                    seen[answer.text if answer.status_code == 200 else f"broken {answer.status_code}"] += 1
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


async def ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _haproxy() -> str:
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, "install haproxy: run `make servers`"
    return found


CHECK = "check inter 100ms rise 1 fall 2"


@contextlib.asynccontextmanager
async def floor_with(
    stable: tuple[str, ...] = ("blue",), *, lease_port: int = 0, level: str = "admin"
) -> AsyncIterator[Floor]:
    """Bring the floor up with 1.4.1 in every stable slot."""
    launcher = Launcher({name: free_port() for name in (*stable, "canary")})
    runner = web.AppRunner(launcher.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    launcher.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with tempfile.TemporaryDirectory(prefix="floor-") as folder:  # a socket's path may not be long
        floor = Floor(Path(folder), launcher, free_port(), stable, lease_port, level)
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


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with floor_with() as made:
        yield made


@pytest.fixture
async def rolling() -> AsyncIterator[Floor]:
    async with floor_with(("a", "b", "c")) as made:
        yield made
