"""Real targets for the actions: HAProxy, PostgreSQL, and a store that knows keys and fencing tokens."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from aiohttp import web

from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.change import Change
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.testing.stores import memory_context, memory_stores
from tests.support.servers import kept
from tests.support.servers import postgres as start_postgres
from tests.support.waiting import until_now


class NoLedger:
    """Actions return their change; the engine records it."""

    async def record(self, change: Change) -> None:
        raise AssertionError("an action wrote to the ledger by itself")

    async def since(self, *, service: str, seconds: float) -> tuple[Change, ...]:
        return ()


ContextMaker = Callable[..., Context]


@pytest.fixture
async def make_ctx() -> AsyncIterator[ContextMaker]:
    """Make a context for one service called ``shop`` with these sources and target."""
    async with httpx.AsyncClient(timeout=60) as http:

        def make(
            *,
            sources: dict[str, dict[str, str]] | None = None,
            target: dict[str, dict[str, str]] | None = None,
            external: bool = False,
            key: str = "run1:fix:step1",
            epoch: int = 1,
            timeout_s: float = 30,
        ) -> Context:
            service = Service(name="shop", sources=sources or {}, target=target or {}, external=external)
            return memory_context(
                catalogue=Catalogue(services=(service,)),
                http=http,
                stores=replace(memory_stores(), ledger=NoLedger()),
                effect=Effect(key=key, epoch=epoch),
                timeout_s=timeout_s,
            )

        yield make


# --- HAProxy -----------------------------------------------------------------------------------------------

_HAPROXY_CONFIG = """\
global
    nbthread 1
    stats socket {socket} mode 600 level {level}
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
backend shop
    server blue 127.0.0.1:9 weight 100
    server green 127.0.0.1:9 weight 0
    server canary 127.0.0.1:9 weight 0
backend fixed
    balance static-rr
    server blue 127.0.0.1:9 weight 100
    server green 127.0.0.1:9 weight 0
"""


@dataclass
class Balancer:
    """A running HAProxy and what a test may ask of it."""

    socket: str
    process: subprocess.Popen[bytes]

    def target(self, *, backend: str = "shop", candidate: str = "green") -> dict[str, dict[str, str]]:
        where = {"socket": self.socket, "backend": backend, "stable": "blue", "candidate": candidate}
        return {"haproxy": where}

    async def say(self, line: str) -> str:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(f"{line}\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return answer

    async def weights(self, backend: str = "shop") -> dict[str, int]:
        rows = (await self.say(f"show servers state {backend}")).splitlines()[2:]
        return {row.split()[3]: int(row.split()[7]) for row in rows if row}


@pytest.fixture
def start_haproxy(tmp_path: Path) -> Iterator[Callable[..., Balancer]]:
    """Start HAProxy with a runtime socket of this level."""
    running: list[subprocess.Popen[bytes]] = []
    folder = Path(tempfile.mkdtemp(prefix="haproxy-"))  # a socket's path may not be long

    def start(level: str = "admin") -> Balancer:
        socket = folder / "s"
        config = tmp_path / "haproxy.cfg"
        config.write_text(_HAPROXY_CONFIG.format(socket=socket, level=level), encoding="utf-8")
        running.append(_spawn([_program("haproxy"), "-db", "-f", str(config)]))
        until_now(socket.exists, what="a supervisor")
        return Balancer(str(socket), running[-1])

    yield start
    for process in running:
        _end(process, signal.SIGTERM)
    shutil.rmtree(folder)


@pytest.fixture
def haproxy(start_haproxy: Callable[..., Balancer]) -> Balancer:
    """One HAProxy whose socket may do everything."""
    return start_haproxy()


# --- PostgreSQL --------------------------------------------------------------------------------------------

_ROLES = """
CREATE ROLE app LOGIN PASSWORD 'app';
CREATE ROLE operator LOGIN PASSWORD 'operator';
GRANT pg_monitor, pg_signal_backend TO operator;
CREATE ROLE watcher LOGIN PASSWORD 'watcher';
GRANT pg_monitor TO watcher;
CREATE ROLE root SUPERUSER LOGIN PASSWORD 'root';
"""


@dataclass(frozen=True)
class Postgres:
    """A running server, as its superuser reaches it."""

    superuser: str

    def dsn(self, role: str) -> str:
        parts = urlsplit(self.superuser)
        return parts._replace(netloc=f"{role}:{role}@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests: an app, an operator who may end sessions, a watcher who may look."""
    with kept(start_postgres()) as dsn:
        asyncio.run(_create_roles(dsn))
        yield Postgres(dsn)


async def _create_roles(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=5)
    await connection.execute(_ROLES)
    await connection.close()


# --- a settings store and supervisor -----------------------------------------------------------------------


@dataclass
class Shop:
    """Settings and restarts behind HTTP; each change happens once a key and never under a stale token."""

    values: dict[str, Any] = field(
        default_factory=lambda: {"timeout_ms": 5, "bank": "primary", "screening": True}
    )
    url: str = ""
    restarts: int = 0
    puts: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    trouble: str = ""
    """``hang`` or ``break`` after a change, ``hang-before`` it, ``garbage`` or ``gone`` when asked."""
    answers: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def sources(self) -> dict[str, dict[str, str]]:
        return {"settings": {"url": self.url}}

    def target(self) -> dict[str, dict[str, str]]:
        return {"supervisor": {"url": self.url}}

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/settings/shop/{key}", self._get)
        app.router.add_put("/settings/shop/{key}", self._put)
        app.router.add_post("/services/shop/restart", self._restart)
        return app

    async def _get(self, request: web.Request) -> web.Response:
        if self.trouble == "garbage":
            return web.Response(text="<html>")
        key = request.match_info["key"]
        if key not in self.values or self.trouble == "gone":
            return web.json_response(
                {"error": "unknown_setting", "message": f"No setting {key}."}, status=404
            )
        return web.json_response({"key": key, "value": self.values[key]})

    async def _put(self, request: web.Request) -> web.Response:
        body, key = await request.json(), request.match_info["key"]

        def change() -> tuple[int, dict[str, Any]]:
            current = self.values[key]
            if "expect" in body and body["expect"] != current:
                return 409, {"error": "not_as_expected", "message": f"{key} is {current!r}."}
            if type(body["value"]) is not type(current):
                return 422, {"error": "wrong_type", "message": f"{key} is of another type."}
            self.values[key] = body["value"]
            self.puts += 1
            return 200, {"value": body["value"]}

        return await self._once(request, body, change)

    async def _restart(self, request: web.Request) -> web.Response:
        def change() -> tuple[int, dict[str, Any]]:
            self.restarts += 1
            return 200, {"restarted": True}

        return await self._once(request, await request.json(), change)

    async def _once(
        self, request: web.Request, body: Any, change: Callable[[], tuple[int, Any]]
    ) -> web.Response:
        self.headers.append(dict(request.headers))
        key, token = request.headers["Idempotency-Key"], int(request.headers["X-Fencing-Token"])
        if token < self.tokens.get(key, 0):
            refusal = {"error": "stale_fencing_token", "message": f"{token} is stale."}
            return web.json_response(refusal, status=409)
        self.tokens[key] = token
        if self.trouble == "hang-before":
            await self.wake.wait()
        if key in self.answers:
            sent, answer = self.answers[key]
            assert sent == body
            return web.json_response(answer)
        status, answer = change()
        if status == 200:
            self.answers[key] = (body, answer)
        if self.trouble == "hang":
            await self.wake.wait()
        if self.trouble == "break":
            return web.json_response({"message": "it broke"}, status=500)
        return web.json_response(answer, status=status)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A store and supervisor for the service ``shop``."""
    made = Shop()
    runner = web.AppRunner(made.application(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    made.wake.set()
    await runner.cleanup()


# --- processes ---------------------------------------------------------------------------------------------


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, f"install {name}: run `make servers`"
    return found


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # no thread of ours holds a lock here
    )


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
        return
    process.kill()
    process.wait(10)


@pytest.fixture
def began() -> datetime:
    """A moment at which no session began."""
    return datetime(2020, 1, 1, tzinfo=UTC)
