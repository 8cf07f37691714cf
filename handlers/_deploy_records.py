"""The subcommands of `/deploy` for past deployments: history, diff, stats."""

from __future__ import annotations

from bot.domain.intent import ShowDelivery, ShowDiff
from bot.services.parsing.gates import parse_service, valid_version
from bot.services.parsing.records import parse_stats_words
from bot.views.deployment import MOST_LISTED, history_lines
from handlers._deploy_subcommand import DeploySubcommand
from handlers.context import HandlerContext
from handlers.payloads import Payload, click_of, person_of


async def _history(desk: HandlerContext, words: list[str], command: Payload) -> str:
    right = await desk.reader(person_of(command))
    service = parse_service(words, catalogue=desk.catalogue, command="/deploy history") if words else ""
    known = await desk.deployed(service, right=right, limit=MOST_LISTED)
    return "\n".join(history_lines(known, service=service, now=desk.clock.now()))


async def _diff(desk: HandlerContext, words: list[str], command: Payload) -> str:
    service = parse_service([*words[:1], *words[2:]], catalogue=desk.catalogue, command="/deploy diff")
    version = valid_version(words[1], example=f"Try `/deploy diff {service}`.") if len(words) > 1 else ""
    click = click_of(command, at=desk.clock.now())
    await desk.submit(ShowDiff(**click, service=service, version=version))
    return ""


async def _stats(desk: HandlerContext, words: list[str], command: Payload) -> str:
    service, days = parse_stats_words(words, catalogue=desk.catalogue, command="/deploy stats")
    click = click_of(command, at=desk.clock.now())
    await desk.submit(ShowDelivery(**click, service=service, days=days))
    return ""


WORDS: dict[str, DeploySubcommand] = {
    "history": DeploySubcommand(
        usage="[service]",
        summary="List the latest deployments and rollbacks: what, who, when, how long, and the outcome.",
        reads=True,
        run=_history,
    ),
    "diff": DeploySubcommand(
        usage="<service> [version]",
        summary="Show what a version would change, or the latest did: commits, authors, files, settings.",
        reads=True,
        run=_diff,
    ),
    "stats": DeploySubcommand(
        usage="[service] [30d]",
        summary="Show eight delivery metrics with their counts, and a chart.",
        reads=True,
        run=_stats,
    ),
}
