"""Clients that connect and send nothing, or half a request, keep nobody else out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bot.adapters.http import serving
from tests.support.waiting import until

FILES = 400
"""What the server may have open at once; fewer than the clients that attack it."""
SERVER = f"""
import asyncio, resource, socket
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from bot.adapters.http.serving import serve

resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))

async def echo(request):
    return JSONResponse({{"read": len(await request.body())}})

async def main():
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listening.getsockname()[1], flush=True)
    await serve(Starlette(routes=[Route("/", echo, methods=["GET", "POST"])]), listening)

asyncio.run(main())
"""
HALVES = [
    b"",
    b"GET / HTTP/1.1\r\nHost: a",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
]


@pytest.fixture
def port() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.asynccontextmanager
async def half_open(port: int, count: int, *, said: bytes) -> AsyncIterator[None]:
    """Hold so many connections open, each of which has sent ``said`` and nothing more."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            stack.callback(client.close)
            client.sendall(said)
        yield


@pytest.mark.parametrize("said", HALVES, ids=["nothing", "half a header", "half a body"])
async def test_a_thousand_half_open_connections_keep_nobody_out(port: int, said: bytes):
    async with half_open(port, 1000, said=said), httpx.AsyncClient(timeout=60, trust_env=False) as client:
        for size in (0, 10, 1_000_000):
            answer = await client.post(f"http://127.0.0.1:{port}/", content=b"x" * size)
            assert answer.json() == {"read": size}


async def test_a_request_that_comes_in_many_parts_is_answered(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in (b"POST / HTTP/1.1\r\nHo", b"st: a\r\nContent-Length: 4\r\n\r\n", b"ab", b"cd") * 2:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.05)  # real time: the parts are to arrive one by one
        if part == b"cd":
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readuntil(b"}") == b'{"read":4}'
    writer.close()


async def test_a_connection_with_half_a_request_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "REQUEST_S", 0.2)
    listening = socket.create_server(("127.0.0.1", 0))
    server = asyncio.create_task(serving.serve(_nothing, listening))
    try:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), timeout=60) == b""
        writer.close()
        await until(lambda: not serving.BoundedProtocol._waiting, what="it is forgotten")
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
        listening.close()


async def _nothing(scope, receive, send) -> None:
    raise AssertionError("there was no whole request")
