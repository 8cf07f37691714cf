"""Socket Mode: the sockets of one app, and payloads sent over one of them each."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from localslack.envelopes import FAILED, TIMEOUT, Ack, Envelope
from localslack.shapes import Json

MAX_SOCKETS = 10
HEARTBEAT_S = 20.0


class Socket:
    """One WebSocket of an app."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    async def ask(self, frame: Json, *, timeout_s: float) -> Json:
        """Send an envelope; return the acknowledgement frame.

        Raises:
            TimeoutError: none came in time.
            ConnectionError: the socket is gone.
        """
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[frame["envelope_id"]] = future
        try:
            await self.ws.send_json(frame)
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            del self._waiting[frame["envelope_id"]]

    async def listen(self) -> None:
        """Read acknowledgements until the app closes the socket."""
        async for message in self.ws:
            if message.type is not WSMsgType.TEXT:
                continue
            with suppress(ValueError):
                frame = json.loads(message.data)
                future = self._waiting.get(frame.get("envelope_id", "")) if isinstance(frame, dict) else None
                if future is not None and not future.done():
                    future.set_result(frame)


class Sockets:
    """The sockets of one app; implements ``Transport``."""

    def __init__(self, app_id: str, *, on_change: Callable[[], None]) -> None:
        self._app_id = app_id
        self._on_change = on_change
        self._open: list[Socket] = []
        self._turn = 0

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket from its hello to its end."""
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        await ws.prepare(request)
        if len(self._open) >= MAX_SOCKETS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        socket = Socket(ws)
        self._open.append(socket)
        self._on_change()
        try:
            await ws.send_json(self._hello())
            await socket.listen()
        finally:
            if socket in self._open:
                self._open.remove(socket)
            self._on_change()
        return ws

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "localslack", "build_number": 1, "approximate_connection_time": 18060},
        }

    async def deliver(self, envelope: Envelope, *, timeout_s: float) -> Ack:
        """Send over the next socket in turn; only that one."""
        if not self._open:
            return Ack(error=FAILED)
        self._turn += 1
        socket = self._open[self._turn % len(self._open)]
        frame: Json = {
            "envelope_id": secrets.token_hex(16),
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != "events_api",
        }
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": envelope.retry_num, "retry_reason": envelope.retry_reason}
        try:
            answer = await socket.ask(frame, timeout_s=timeout_s)
        except TimeoutError:
            return Ack(error=TIMEOUT)
        except ConnectionError:
            return Ack(error=FAILED)
        body = answer.get("payload")
        return Ack(body=body if isinstance(body, dict) else {"text": body} if isinstance(body, str) else None)

    async def refresh(self) -> int:
        """Ask every socket to reconnect, and close it; return how many there were."""
        sockets, self._open = self._open, []
        for socket in sockets:
            with suppress(ConnectionError):
                await socket.ws.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await socket.ws.close()
        return len(sockets)

    async def close(self) -> None:
        """Close every socket without notice, as a server does that goes away."""
        sockets, self._open = self._open, []
        for socket in sockets:
            await socket.ws.close()
