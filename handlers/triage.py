"""`/triage <service> [since 30m]`: find out what is wrong."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.event import Origin
from bot.engine.words import parse_words, usage_of
from bot.views.answers import help_text
from handlers.desk import FrontDesk
from handlers.payloads import person_of

COMMAND = "/triage"
USAGE = "<service> [since 30m]"
SUMMARY = "Find out what is wrong with a service, and propose a remedy"

RUNBOOK = "triage"
_HELP = frozenset({"", "help", "-h", "--help", "?"})


def register(app: AsyncApp, desk: FrontDesk) -> None:
    """Listen to the command."""

    async def triage(ack: AsyncAck, command: dict[str, Any]) -> None:
        text = (command.get("text") or "").strip()
        if text.casefold() in _HELP:
            await ack(help_for(desk, name="me"))
            return
        runbook = desk.library.get(RUNBOOK)
        params = parse_words(runbook, text, catalogue=desk.catalogue, command=COMMAND)
        origin = Origin(kind="command", channel=command["channel_id"], thread=command.get("thread_ts") or "")
        await desk.start(RUNBOOK, params, key=command["trigger_id"], by=person_of(command), origin=origin)
        await ack()

    app.command(COMMAND)(triage)


def help_for(desk: FrontDesk, *, name: str) -> str:
    """Say every way to ask for a triage; ``name`` is the bot's own."""
    runbook = desk.library.get(RUNBOOK)
    mention = usage_of(runbook, f"@{name} {RUNBOOK}")
    return help_text(
        (
            (usage_of(runbook, COMMAND).strip("`"), f"{SUMMARY}."),
            (mention.strip("`"), "The same; this works in threads too."),
            ("⋮ → Triage this", "On any message: triage the service that it is about."),
        )
    )
