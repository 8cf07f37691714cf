"""`/triage <service> [since 30m]`: find out what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.domain.durations import parse_duration
from bot.domain.errors import UsageError
from bot.domain.formatting import duration
from bot.domain.runs.event import Origin
from bot.services.parsing.command_line import parse_words, usage_of
from bot.views.answers import help_text
from bot.views.thread.feedback import accuracy_lines
from handlers.context import HandlerContext
from handlers.payloads import bot_name, person_of

COMMAND = "/triage"
USAGE = "<service> [since 30m] | accuracy [30d]"
SUMMARY = "Find out what is wrong with a service, and propose a fix"

RUNBOOK = "triage"
_ACCURACY, _PERIOD = "accuracy", "30d"
_HELP = frozenset({"", "help", "-h", "--help", "?"})


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the command."""

    async def triage(ack: AsyncAck, command: dict[str, Any], context: AsyncBoltContext) -> None:
        text = (command.get("text") or "").strip()
        if text.casefold() in _HELP:
            await ack(help_for(desk, name=bot_name(context)))
            return
        if (period := accuracy_asked(text, services=desk.catalogue.names)) is not None:
            right = await desk.reader(person_of(command))
            rated = [one for one in await desk.rated(seconds=period) if right.covers(one.said.service)]
            await ack("\n".join(accuracy_lines(rated, period=f"the last {duration(period)}")))
            return
        runbook = desk.library.get(RUNBOOK)
        params = parse_words(runbook, text, catalogue=desk.catalogue, command=COMMAND)
        origin = Origin(kind="command", channel=command["channel_id"], thread=command.get("thread_ts") or "")
        await desk.start(RUNBOOK, params, key=command["trigger_id"], by=person_of(command), origin=origin)
        await ack()

    app.command(COMMAND)(triage)


def accuracy_asked(text: str, *, services: Sequence[str]) -> float | None:
    """Return the seconds of ``accuracy [30d]``; none for other text, such as a service of that name.

    Raises:
        UsageError: the text after ``accuracy`` is not a duration.
    """
    word, _, rest = text.partition(" ")
    if word.casefold() != _ACCURACY or _ACCURACY in services:
        return None
    try:
        return parse_duration(rest or _PERIOD)
    except ValueError as error:
        raise UsageError(f"`{rest}` {error}.", hint=f"Type `{COMMAND} {_ACCURACY} {_PERIOD}`.") from None


def help_for(desk: HandlerContext, *, name: str) -> str:
    """Return the help with every way to ask for a triage; ``name`` is the bot's name."""
    runbook = desk.library.get(RUNBOOK)
    mention = usage_of(runbook, f"@{name} {RUNBOOK}")
    return help_text(
        (
            (usage_of(runbook, COMMAND).strip("`"), f"{SUMMARY}."),
            (mention.strip("`"), "The same; also works in threads."),
            (f"{COMMAND} {_ACCURACY} [30d]", "How often diagnoses were right, as rated by responders."),
            ("⋮ → Triage this", "On any message: triage the service it names."),
        )
    )
