"""Refuses requests from other workspaces and from bots before any handler sees them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse

from bot.domain.intent import Notice
from handlers.context import HandlerContext
from handlers.payloads import person_of, place_of, team_of

log = logging.getLogger(__name__)

_SORRY = "Sorry, I only work for members of the workspace that I am installed in. Nothing was started."
_ASKING_EVENTS = frozenset({"app_mention"})


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the guard before every handler."""

    async def only_ours(
        ack: AsyncAck,
        body: dict[str, Any],
        context: AsyncBoltContext,
        request: AsyncBoltRequest,
        next_: Callable[[], Awaitable[None]],
    ) -> BoltResponse | None:
        event = body.get("event") or {}
        if event.get("bot_id"):
            return await ack()  # answering a bot could start an endless exchange
        if not _is_stranger(body, context):
            await next_()
            return None
        person = person_of(body)
        log.warning("stranger_refused", extra={"user": person.id, "team": team_of(body)})
        if not event or event.get("type") in _ASKING_EVENTS:
            channel, thread = place_of(body)

            async def notify() -> None:
                await desk.notifier.notify(
                    Notice(user=person.id, channel=channel, thread=thread, text=_SORRY)
                )

            if "command" in body:
                return await ack(_SORRY)
            context.listener_runner.lazy_listener_runner.start(function=notify, request=request)
        return await ack()

    app.use(only_ours)


def _is_stranger(body: dict[str, Any], context: AsyncBoltContext) -> bool:
    ours, team = context.authorize_result, team_of(body)
    return ours is not None and team not in ("", ours.team_id, ours.enterprise_id)
