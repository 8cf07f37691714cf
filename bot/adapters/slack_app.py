"""Bolt, set up for this bot: Socket Mode by default, or signed HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.adapters.slack_client import Identity
from bot.adapters.slack_trouble import SLACK_ERRORS, trouble_of

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
_MOST_BYTES = 1_000_000
_MOST_DIGITS = 12
_LAST_WORDS_S = 2.0
"""How long a closing socket waits for answers that are being written."""
_ASK_AGAIN_S = 5.0


def build_app(*, identity: Identity, signing_secret: str = "") -> AsyncApp:
    """Make an app that listens to nothing yet.

    Each request is authorised from ``identity``, which asks Slack once for all, and speaks through the same
    connections as ``identity.client``.  ``signing_secret`` is only needed for HTTP mode.
    """
    spoken = identity.client

    async def authorize() -> AuthorizeResult:
        who = await identity.get()
        return AuthorizeResult(
            enterprise_id=who.enterprise_id or None,
            team_id=who.team_id,
            team=who.team,
            bot_id=who.bot_id,
            bot_user_id=who.bot_user_id,
            bot_token=spoken.token,
            user=who.bot_name,
        )

    app = AsyncApp(
        name="pilothouse",
        signing_secret=signing_secret,
        client=AsyncWebClient(
            base_url=spoken.base_url,
            session=spoken.session,
            timeout=spoken.timeout,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
        ),
        authorize=authorize,
        raise_error_for_unhandled_request=True,
    )
    app.client.proxy = spoken.proxy

    async def by_the_same_way(context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]) -> None:
        """Bolt makes a client for each request, which would look for a proxy by itself."""
        context.client.proxy = spoken.proxy
        await next_()

    app.use(by_the_same_way)
    return app


class _Socket(AsyncSocketModeHandler):
    """One connection, which knows how many answers are being written."""

    def __init__(self, app: AsyncApp, app_token: str, *, ping_s: float) -> None:
        """Prepare the connection; nothing is sent yet."""
        super().__init__(app, app_token, ping_interval=ping_s)
        self.client.proxy = app.client.proxy
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as the SDK's own
        """Answer one envelope."""
        self._answering += 1
        self._idle.clear()
        try:
            await super().handle(client, req)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def begin(self) -> None:
        """Connect; tries until it succeeds."""
        await self.client.connect()  # type: ignore[no-untyped-call]  # the SDK's

    async def end(self) -> None:
        """Close the connection once nothing is being answered, and wait for its tasks."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._reap)
            stack.push_async_callback(self.close_async)
            try:
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("socket_closed_in_mid_answer", extra={"answers": self._answering})

    async def _reap(self) -> None:
        client = self.client
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


async def serve_socket(
    app: AsyncApp, *, app_token: str, identity: Identity, connections: int = 2, ping_s: float = 5
) -> None:
    """Receive over Socket Mode until cancelled.

    Slack sends each payload to any one of the connections.  While one is being renewed another one listens,
    so two are the least with which no click is lost.
    """
    await _introduce(identity)
    sockets = [_Socket(app, app_token, ping_s=ping_s) for _ in range(connections)]
    try:
        await asyncio.gather(*(socket.begin() for socket in sockets))
        log.info("slack_connected", extra={"connections": connections})
        await asyncio.Event().wait()
    finally:
        await asyncio.gather(*(socket.end() for socket in sockets))


async def _introduce(identity: Identity) -> None:
    """Learn who we are before anybody asks something, so that no answer waits for it."""
    while True:
        try:
            who = await identity.get()
        except SLACK_ERRORS as error:
            log.error("slack_unreachable", extra={"code": trouble_of(error).code})  # noqa: TRY400  # an expected failure
            await asyncio.sleep(_ASK_AGAIN_S)
        else:
            log.info("slack_identity", extra={"team": who.team_id, "bot": who.bot_user_id})
            return


def http_routes(app: AsyncApp) -> list[Route]:
    """Make the routes of signed HTTP mode; what is not signed by Slack gets a 401."""

    async def receive(request: Request) -> Response:
        if not _is_plausible(request):
            return PlainTextResponse("not signed by Slack", status_code=401)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return PlainTextResponse("too big", status_code=413)
        try:
            asked = to_async_bolt_request(request, body)
        except ValueError:
            return PlainTextResponse("neither JSON nor a form", status_code=400)
        return to_starlette_response(await app.async_dispatch(asked))

    return [Route(EVENTS_PATH, receive, methods=["POST"])]


def _is_plausible(request: Request) -> bool:
    """Tell whether the headers can be a signature at all; Bolt verifies the signature itself."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    is_time = stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_DIGITS
    return is_time and signature.isascii() and signature.startswith("v0=")
