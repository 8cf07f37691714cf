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
from handlers.payloads import Payload, bot_name, person_of, place_of
from handlers.triage import RUNBOOK, help_for

EVENTS = ("app_mention",)

_ANSWER = "pilothouse_answer"


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the mentions."""

    async def submit(
        body: dict[str, Any],
        event: dict[str, Any],
        context: AsyncBoltContext,
        next_: Callable[[], Awaitable[None]],
    ) -> None:
        """Run before Bolt acknowledges, so that Slack redelivers a mention that could not be stored."""
        name = bot_name(context)
        verb, *rest = _words(event, context).split(maxsplit=1)
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
        """Run after the acknowledgement: post the help or the error to that person alone."""
        text = context.get(_ANSWER)
        if text:
            channel, thread = place_of(body)
            await desk.notifier.notify(
                Notice(user=person_of(body).id, channel=channel, thread=thread, text=text)
            )

    app.event("app_mention", middleware=[submit])(answer)


def _words(event: Payload, context: AsyncBoltContext) -> str:
    """Return the text after the bot's name; ``help`` if there is none."""
    text = event.get("text") or ""
    after = re.split(rf"<@{context.bot_user_id}(?:\|[^>]*)?>[\s:,]*", text, maxsplit=1)[-1]
    return after.strip() or "help"
