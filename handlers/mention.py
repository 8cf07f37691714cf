"""`@bot triage <service> [since 30m]`, in a channel or a thread."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.domain.errors import UsageError
from bot.domain.intent import Notice
from bot.domain.runs.event import Origin
from bot.services.parsing.command_line import parse_words
from bot.views.answers import error_text
from handlers.context import HandlerContext
from handlers.payloads import Payload, person_of, place_of
from handlers.triage import RUNBOOK, help_for

EVENTS = ("app_mention",)

_ANSWER = "pilothouse_answer"


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Listen to mentions."""

    async def write_down(
        body: dict[str, Any],
        event: dict[str, Any],
        context: AsyncBoltContext,
        next_: Callable[[], Awaitable[None]],
    ) -> None:
        """Run before Bolt acknowledges: a mention that cannot be written down is delivered again."""
        name = _name(context)
        verb, *rest = _said(event, context).split(maxsplit=1)
        if verb.casefold() != RUNBOOK:
            context[_ANSWER] = help_for(desk, name=name)
        else:
            try:
                params = parse_words(
                    desk.library.get(RUNBOOK),
                    "".join(rest),
                    catalogue=desk.catalogue,
                    command=f"@{name} {RUNBOOK}",
                )
            except UsageError as error:
                context[_ANSWER] = error_text(error)
            else:
                channel, thread = place_of(body)
                origin = Origin(kind="mention", channel=channel, thread=thread)
                await desk.start(RUNBOOK, params, key=body["event_id"], by=person_of(body), origin=origin)
        await next_()

    async def answer(body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Run after the acknowledgement: answer what could not be understood, to that person alone."""
        text = context.get(_ANSWER)
        if text:
            channel, thread = place_of(body)
            await desk.teller.tell(Notice(user=person_of(body).id, channel=channel, thread=thread, text=text))

    app.event("app_mention", middleware=[write_down])(answer)


def _said(event: Payload, context: AsyncBoltContext) -> str:
    """Take what was said to us: all that follows our name.  ``help`` if that is nothing."""
    text = event.get("text") or ""
    after = re.split(rf"<@{context.bot_user_id}(?:\|[^>]*)?>[\s:,]*", text, maxsplit=1)[-1]
    return after.strip() or "help"


def _name(context: AsyncBoltContext) -> str:
    result = context.authorize_result
    return (result.user if result is not None else None) or "bot"
