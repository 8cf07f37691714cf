"""The subcommands of `/deploy` for checklists: tick, untick, waive, checklist."""

from __future__ import annotations

from bot.domain.errors import UsageError
from bot.domain.intent import ShowChecklist, TickItem, UntickItem, WaiveItem
from bot.engine.params import echo
from bot.services.parsing.gates import parse_item_words, parse_version_words
from handlers._deploy_subcommand import DeploySubcommand
from handlers.context import HandlerContext
from handlers.payloads import Payload, click_of


async def _tick(desk: HandlerContext, words: list[str], command: Payload) -> str:
    asked = parse_item_words(words, catalogue=desk.catalogue, command="/deploy tick")
    await desk.submit(
        TickItem(
            **click_of(command, at=desk.clock.now()),
            service=asked.service,
            version=asked.version,
            item=asked.item,
            note=asked.text,
        )
    )
    return ""


async def _waive(desk: HandlerContext, words: list[str], command: Payload) -> str:
    asked = parse_item_words(words, catalogue=desk.catalogue, command="/deploy waive", why=True)
    await desk.submit(
        WaiveItem(
            **click_of(command, at=desk.clock.now()),
            service=asked.service,
            version=asked.version,
            item=asked.item,
            reason=asked.text,
        )
    )
    return ""


async def _untick(desk: HandlerContext, words: list[str], command: Payload) -> str:
    asked = parse_item_words(words, catalogue=desk.catalogue, command="/deploy untick")
    if asked.text:
        raise UsageError(f"Unexpected text after the item: `{echo(asked.text)}`.", hint="Give only the item.")
    click = click_of(command, at=desk.clock.now())
    await desk.submit(UntickItem(**click, service=asked.service, version=asked.version, item=asked.item))
    return ""


async def _checklist(desk: HandlerContext, words: list[str], command: Payload) -> str:
    service, version = parse_version_words(words, catalogue=desk.catalogue, command="/deploy checklist")
    click = click_of(command, at=desk.clock.now())
    await desk.submit(ShowChecklist(**click, service=service, version=version))
    return ""


WORDS: dict[str, DeploySubcommand] = {
    "tick": DeploySubcommand(
        usage="<service> <version> <item> [note]",
        summary="Mark an item of a version's checklist as done.",
        run=_tick,
    ),
    "waive": DeploySubcommand(
        usage="<service> <version> <item> <reason>",
        summary="As an approver, let others deploy a version without an item; the waiver is posted.",
        run=_waive,
    ),
    "untick": DeploySubcommand(
        usage="<service> <version> <item>",
        summary="Withdraw your tick or your waiver of an item.",
        run=_untick,
    ),
    "checklist": DeploySubcommand(
        usage="<service> <version>",
        summary="Show which items of a version are done, and by whom.",
        reads=True,
        run=_checklist,
    ),
}
