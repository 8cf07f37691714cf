"""`/rollback <service>`: return to the previous version, with one command and one approval."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.runs.event import Origin
from bot.services.parsing.command_line import parse_words
from bot.views.answers import help_text
from handlers.context import HandlerContext
from handlers.payloads import person_of

COMMAND = "/rollback"
USAGE = "<service> [environment] [to 1.4.1] [emergency <reason>]"
SUMMARY = "Send all traffic back to the previous version at once"

RUNBOOK = "rollback"
_HELP = frozenset({"", "help", "-h", "--help", "?"})
_COMMANDS = (
    (f"{COMMAND} <service> [environment]", "Back to the previous version; a rollout in progress is aborted."),
    (f"{COMMAND} <service> to 1.4.1", "Back to a version of your choice."),
    (
        f'{COMMAND} <service> emergency "orders are lost"',
        "At once and without an approval, where the catalogue allows it; the approvers are notified.",
    ),
)


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the command."""

    async def rollback(ack: AsyncAck, command: dict[str, Any]) -> None:
        text = (command.get("text") or "").strip()
        if text.casefold() in _HELP:
            await ack(help_text(_COMMANDS))
            return
        runbook = desk.library.get(RUNBOOK)
        params = parse_words(runbook, text, catalogue=desk.catalogue, command=COMMAND)
        origin = Origin(kind="command", channel=command["channel_id"], thread=command.get("thread_ts") or "")
        await desk.start(RUNBOOK, params, key=command["trigger_id"], by=person_of(command), origin=origin)
        await ack()

    app.command(COMMAND)(rollback)
