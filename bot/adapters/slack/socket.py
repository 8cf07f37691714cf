"""Socket Mode, so that no click is lost while a connection is renewed."""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.adapters.slack.client import Identity
from bot.adapters.slack.failures import SLACK_ERRORS, slack_failure_of
from bot.domain.clock import SystemClock

log = logging.getLogger(__name__)

_LAST_WORDS_S = 2.0
"""Seconds that a closing socket waits for answers that are being written."""
_FAREWELL_S = 15.0
"""Seconds that Slack may take to close a connection that it asked us to renew."""
_LOOK_S = 0.5
_LEAST_LIFE_S = 1.0
_ASK_AGAIN_S = 5.0


async def serve_socket(
    app: AsyncApp, *, app_token: str, identity: Identity, connections: int = 2, ping_s: float = 5
) -> None:
    """Receive over Socket Mode until cancelled.

    Slack sends each payload to any one of the connections, and wants each renewed now and then.  A new one is
    opened before the old one is closed, and another one listens meanwhile.
    """
    await _introduce(identity)
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_keep_open(app, group, app_token=app_token, ping_s=ping_s))


async def _introduce(identity: Identity) -> None:
    """Look up the bot's account before the first request, so that no answer waits for it."""
    while True:
        try:
            who = await identity.get()
        except SLACK_ERRORS as error:
            log.error("slack_unreachable", extra={"code": slack_failure_of(error).code})  # noqa: TRY400  # an expected failure
            await asyncio.sleep(_ASK_AGAIN_S)
        else:
            log.info("slack_identity", extra={"team": who.team_id, "bot": who.bot_user_id})
            return


async def _keep_open(app: AsyncApp, group: asyncio.TaskGroup, *, app_token: str, ping_s: float) -> None:
    """Hold one connection open, and renew it as often as needed."""
    while True:
        socket = _Socket(app, app_token=app_token, ping_s=ping_s)
        try:
            await socket.open()
            await socket.is_over()
        except asyncio.CancelledError:
            await socket.close()
            raise
        group.create_task(socket.retire())
        if socket.age_s < _LEAST_LIFE_S:
            await asyncio.sleep(_LEAST_LIFE_S)  # Slack refuses connections beyond its limit at once


class _Client(SocketModeClient):
    """Reports that Slack wants another connection; the SDK would close this one first."""

    def __init__(self, app: AsyncApp, *, app_token: str, ping_s: float) -> None:
        super().__init__(
            app_token=app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=app.client,
            auto_reconnect_enabled=False,
            ping_interval=ping_s,
            on_close_listeners=[self._closed],
        )
        self.proxy = app.client.proxy
        self.over = asyncio.Event()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # the SDK's signature
        """Handle a `disconnect`: the SDK calls this only then, because its automatic reconnect is off."""
        self.over.set()

    async def _closed(self, _message: WSMessage) -> None:
        self.over.set()


class _Socket:
    """One connection, which knows how many answers are being written."""

    def __init__(self, app: AsyncApp, *, app_token: str, ping_s: float) -> None:
        self._app = app
        self._client = _Client(app, app_token=app_token, ping_s=ping_s)
        self._client.socket_mode_request_listeners.append(self._answer)
        self._opened_at = 0.0
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def age_s(self) -> float:
        """The seconds since it was opened."""
        return time.monotonic() - self._opened_at

    async def open(self) -> None:
        """Connect; retry until it succeeds."""
        await self._client.connect()  # type: ignore[no-untyped-call]  # the SDK's
        self._opened_at = time.monotonic()
        log.info("slack_connected")

    async def is_over(self) -> None:
        """Wait until Slack wants another connection, or this one is lost."""
        while not self._client.over.is_set() and await self._client.is_connected():
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._client.over.wait()
            except TimeoutError:
                continue
        log.info("slack_connection_over", extra={"asked": self._client.over.is_set()})

    async def retire(self) -> None:
        """Continue to answer until Slack closes the connection."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                while self._is_open():  # noqa: ASYNC110  # a closed session tells nobody
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            log.info("slack_connection_lingered")
        finally:
            await self.close()

    def _is_open(self) -> bool:
        session = self._client.current_session
        return session is not None and not session.closed

    async def close(self) -> None:
        """Close the connection once nothing is being answered, and wait for its tasks."""
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("socket_closed_in_mid_answer", extra={"answers": self._answering})
        client = self._client
        await client.close()  # type: ignore[no-untyped-call]  # the SDK's
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    async def _answer(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        started = SystemClock().now().timestamp()
        self._answering += 1
        self._idle.clear()
        try:
            answer = await run_async_bolt_app(self._app, request)
            await send_async_response(client, request, answer, started)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()
