"""A launcher that runs a small real service in slots; what the catalogue's ``launch`` asks for."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

APP = """
import asyncio, os, signal, sys
version, port = sys.argv[1], int(sys.argv[2])
busy = set()
async def serve(reader, writer):
    try:
        while (head := await reader.readuntil(b"\\r\\n\\r\\n")):
            busy.add(reader)
            path = head.split()[1]
            if path == b"/slow": await asyncio.sleep(0.3)
            bad = version.endswith("dead") or version.endswith("bad") and path != b"/healthz"
            status = b"500 Bad" if bad else b"200 OK"
            head = b"HTTP/1.1 %s\\r\\ncontent-length: %d\\r\\n\\r\\n" % (status, len(version))
            writer.write(head + version.encode())
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
    os._exit(0)  # idle connections need no farewell
asyncio.run(main())
"""


async def ended(process: asyncio.subprocess.Process) -> None:
    """Kill a process, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


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
        """Make what answers under ``/launch``."""
        app = web.Application()
        app.router.add_get("/launch/{service}/{slot}", self._get)
        app.router.add_put("/launch/{service}/{slot}", self._put)
        app.router.add_delete("/launch/{service}/{slot}", self._delete)
        return app

    async def start(self, slot: str, version: str) -> None:
        """Run a version in a slot instead of what runs there."""
        await self.stop(slot)
        command = [sys.executable, "-I", "-c", APP, version, str(self.ports[slot])]
        self.running[slot] = (version, await asyncio.create_subprocess_exec(*command))
        self.starts.append((slot, version))

    async def stop(self, slot: str) -> None:
        """End what runs in a slot, once it has answered what it was asked."""
        if slot in self.running:
            process = self.running.pop(slot)[1]
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                process.terminate()
            await process.wait()

    async def close(self) -> None:
        """Kill all."""
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

    async def _once(
        self, request: web.Request, body: object, change: Coroutine[object, object, None]
    ) -> web.Response:
        key, token = request.headers["Idempotency-Key"], int(request.headers["X-Fencing-Token"])
        asked = (request.method, request.path, body)
        if token < self.tokens.get(key, 0):
            change.close()
            return web.json_response({"error": "stale_fencing_token", "message": "stale"}, status=409)
        self.tokens[key] = token
        if key in self.answers:
            change.close()
            same = self.answers[key] == asked
            return web.json_response({} if same else {"error": "key_reused"}, status=200 if same else 422)
        await change
        self.answers[key] = asked
        return web.json_response({})
