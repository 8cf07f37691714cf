"""Bolt, set up for this bot: Socket Mode by default, or signed HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.adapters.slack.client import Identity
from bot.adapters.slack.socket import serve_socket
from bot.domain.visible import visible

__all__ = ["EVENTS_PATH", "build_app", "http_routes", "serve_socket"]

EVENTS_PATH = "/slack/events"
_MOST_BYTES = 1_000_000
_MOST_DIGITS = 12


def build_app(*, identity: Identity, signing_secret: str = "") -> AsyncApp:
    """Return an app without listeners.

    Each request is authorised by ``identity``, which asks Slack only once, and answered over the same
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
        """Use our proxy for this request: Bolt makes a new client, which would look for one itself."""
        context.client.proxy = spoken.proxy
        await next_()

    app.use(by_the_same_way)
    app.use(_without_invisible_characters)
    return app


async def _without_invisible_characters(
    request: AsyncBoltRequest, next_: Callable[[], Awaitable[None]]
) -> None:
    """Drop invisible characters from what was typed in a command, a message or a modal."""
    for key, value in request.body.items():
        request.body[key] = _visible(value)
    await next_()


def _visible(value: object) -> object:
    match value:
        case str():
            return visible(value)
        case dict():
            return {key: _visible(each) for key, each in value.items()}
        case list():
            return [_visible(each) for each in value]
        case _:
            return value


def http_routes(app: AsyncApp, *, signing_secret: str) -> list[Route]:
    """Return the routes of signed HTTP mode; a request without Slack's signature gets a 401, unparsed."""
    verifier = SignatureVerifier(signing_secret)

    async def receive(request: Request) -> Response:
        if not _is_plausible(request):
            return PlainTextResponse("not signed by Slack", status_code=401)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return PlainTextResponse("too big", status_code=413)
        try:
            if not verifier.is_valid_request(body, dict(request.headers)):
                return PlainTextResponse("not signed by Slack", status_code=401)
            asked = to_async_bolt_request(request, body)
        except (ValueError, RecursionError):
            return PlainTextResponse("neither JSON nor a form", status_code=400)
        return to_starlette_response(await app.async_dispatch(asked))

    return [Route(EVENTS_PATH, receive, methods=["POST"])]


def _is_plausible(request: Request) -> bool:
    """Return whether the headers can hold a signature, before a body is read for it."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    is_time = stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_DIGITS
    return is_time and signature.isascii() and signature.startswith("v0=")
