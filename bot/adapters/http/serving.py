"""Serves HTTP so that clients which send nothing, or half a request, do not keep others out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 20.0
"""Seconds within which a whole request, with its body, has to arrive."""
MOST_WAITING = 256
"""Connections that may be waiting for the rest of their request; beyond these the oldest one is closed."""


class BoundedProtocol(H11Protocol):
    """Uvicorn's HTTP with a limit to how long, and on how many connections, a request may take to arrive.

    Uvicorn itself waits for ever for the first request of a connection, and for the rest of one.
    """

    _waiting: ClassVar[dict[BoundedProtocol, None]] = {}
    """The connections with no whole request yet, the oldest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as uvicorn calls it
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; wait on if that was not all of it."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._wait()
        else:
            self._arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._arrived()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close the connection without an answer: there is no whole request to answer."""
        self._arrived()
        self.transport.abort()

    def _wait(self) -> None:
        if self._deadline is not None:
            return
        self._deadline = self.loop.call_later(REQUEST_S, self.give_up)
        self._waiting[self] = None
        if len(self._waiting) > MOST_WAITING:
            next(iter(self._waiting)).give_up()

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._waiting.pop(self, None)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: one place stops all roles."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(app: Starlette, listening: socket.socket) -> None:
    """Serve an application on a bound socket until cancelled."""
    config = uvicorn.Config(app, http=BoundedProtocol, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    try:
        await server.serve(sockets=[listening])
    finally:
        server.should_exit = True
