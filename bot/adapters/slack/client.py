"""Slack's Web API client, and the account of its token."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import HoldLostError

DEFAULT_API_URL = "https://slack.com/api/"
CALL_S = 8.0
"""The longest that one call may take, in seconds."""
NOT_AFTER: ContextVar[float | None] = ContextVar("not_after", default=None)
"""On the monotonic clock: from then on this task must not begin another call."""


@asynccontextmanager
async def open_client(
    *, token: str, api_url: str = DEFAULT_API_URL, call_s: float = CALL_S
) -> AsyncIterator[AsyncWebClient]:
    """Open a client that keeps its connections and never retries on its own.

    The SDK's own default sends a post again when a connection is lost after the post was handled.
    """
    timely = aiohttp.TraceConfig()
    timely.on_request_start.append(_not_too_late)
    timely.on_request_chunk_sent.append(_not_too_late)
    timeout = aiohttp.ClientTimeout(total=call_s)
    async with aiohttp.ClientSession(timeout=timeout, trace_configs=[timely]) as session:
        client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
        if is_direct(api_url):
            client.proxy = None
        yield client


async def _not_too_late(*_: object) -> None:
    """Send nothing for a topic that another presenter now holds: Slack has no idempotency keys or fences.

    A process that was stopped and resumes passes this check before it asks for a connection, and again
    just before the first byte is sent: it may have been stopped in between.
    """
    limit = NOT_AFTER.get()
    if limit is not None and time.monotonic() >= limit:
        raise HoldLostError("The deadline of this call has passed.")


def is_direct(url: str) -> bool:
    """Return whether ``url`` is exempt from the environment's proxy; the SDK ignores ``NO_PROXY``."""
    host = urlsplit(url).hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return is_here or bool(proxy_bypass(host))


@dataclass(frozen=True, kw_only=True)
class BotAccount:
    """The workspace and the bot that a token stands for."""

    team_id: str
    team: str
    enterprise_id: str
    bot_id: str
    bot_user_id: str
    bot_name: str


class Identity:
    """Asks Slack once for the bot's account."""

    def __init__(self, client: AsyncWebClient) -> None:
        """Ask ``client`` when first needed."""
        self.client = client
        self._who: BotAccount | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> BotAccount:
        """Return the bot's account; asks Slack the first time only.

        Raises:
            SlackApiError: the token is not accepted.
            aiohttp.ClientError: Slack cannot be reached.
        """
        async with self._asking:
            if self._who is None:
                told = await self.client.auth_test()
                self._who = BotAccount(
                    team_id=told.get("team_id", ""),
                    team=told.get("team", ""),
                    enterprise_id=told.get("enterprise_id") or "",
                    bot_id=told.get("bot_id", ""),
                    bot_user_id=told.get("user_id", ""),
                    bot_name=told.get("user", ""),
                )
            return self._who
