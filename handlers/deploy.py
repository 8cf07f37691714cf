"""`/deploy <strategy> <service> <version> [environment]`, its dry run, and its subcommands."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.deployments.deployment import STRATEGY_PREFIX
from bot.domain.deployments.strategies import usual_strategy
from bot.domain.deployments.version import is_version
from bot.domain.errors import UsageError
from bot.domain.model import JsonObject
from bot.domain.nearest import did_you_mean
from bot.domain.runs.event import Origin
from bot.domain.runs.runbook import Runbook
from bot.engine.params import echo
from bot.services.parsing.command_line import parse_words, split_words
from bot.views.answers import help_text
from handlers import _deploy_checklist, _deploy_gates, _deploy_records
from handlers._deploy_subcommand import DeploySubcommand
from handlers.context import HandlerContext
from handlers.payloads import Payload, person_of

COMMAND = "/deploy"
USAGE = (
    "<strategy> <service> <version> [environment] | plan … | why <service> | history | diff | stats | help"
)
SUMMARY = "Deploy a version, preview a deployment, or see why one is blocked"

WORDS: dict[str, DeploySubcommand] = {
    **_deploy_gates.WORDS,
    **_deploy_checklist.WORDS,
    **_deploy_records.WORDS,
}
_PLAN = "plan"
_HELP = frozenset({"", "help", "-h", "--help", "?"})


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the command."""

    async def deploy(ack: AsyncAck, command: dict[str, Any]) -> None:
        text = (command.get("text") or "").strip()
        if text.casefold() in _HELP:
            await ack(help_text(_commands(desk)))
            return
        name, _, rest = text.partition(" ")
        name = name.casefold()
        if name in WORDS:
            answer = await WORDS[name].run(desk, split_words(rest), command)
            await (ack(answer) if answer else ack())
            return
        await _start(desk, name, rest, command)
        await ack()

    app.command(COMMAND)(deploy)


def strategies(desk: HandlerContext) -> dict[str, Runbook]:
    """Return the strategies by the word that people type: every runbook named ``deploy-…``."""
    names = [name for name in desk.library.names() if name.startswith(STRATEGY_PREFIX)]
    return {name.removeprefix(STRATEGY_PREFIX): desk.library.get(name) for name in names}


async def _start(desk: HandlerContext, name: str, rest: str, command: Payload) -> None:
    only_plan = name == _PLAN
    if only_plan:
        name, _, rest = rest.strip().partition(" ")
        name = name.casefold()
    known = strategies(desk)
    if name not in known and (service := desk.catalogue.named(name)):
        raise _without_strategy(desk, service, rest, plan=only_plan)
    if name not in known:
        words = (*known, *(() if only_plan else (_PLAN, *WORDS)))
        listed = ", ".join(f"`{word}`" for word in known)
        raise UsageError(
            f"Unknown strategy `{echo(name)}`{did_you_mean(name, words)}.",
            hint=f"The strategies are {listed}. `{COMMAND} help` lists everything.",
        )
    typed = f"{COMMAND} {_PLAN} {name}" if only_plan else f"{COMMAND} {name}"
    params = parse_words(known[name], rest, catalogue=desk.catalogue, command=typed)
    await _ask(desk, known[name].name, {**params, "dry_run": True} if only_plan else params, command)


def _without_strategy(desk: HandlerContext, service: str, rest: str, *, plan: bool) -> UsageError:
    """Return the error for a service where the strategy belongs, with the command that was probably meant."""
    usual = usual_strategy(desk.catalogue.get(service).target)
    strategy = usual if usual in strategies(desk) else next(iter(strategies(desk)), "<strategy>")
    first = next(iter(split_words(rest)), "")
    version = first if is_version(first) else "<version>"
    words = [COMMAND, *([_PLAN] if plan else []), strategy, service, version]
    return UsageError(
        f"`{service}` is a service: how do you want to deploy it?", hint=f"Try `{' '.join(words)}`."
    )


async def _ask(desk: HandlerContext, runbook: str, params: JsonObject, command: Payload) -> None:
    origin = Origin(kind="command", channel=command["channel_id"], thread=command.get("thread_ts") or "")
    await desk.start(runbook, params, key=command["trigger_id"], by=person_of(command), origin=origin)


def _commands(desk: HandlerContext) -> list[tuple[str, str]]:
    found = strategies(desk).items()
    lines = [
        (f"{COMMAND} {name} <service> <version> [environment]", runbook.summary) for name, runbook in found
    ]
    lines.append(
        (
            f"{COMMAND} {_PLAN} <strategy> <service> <version>",
            "Show what would happen; nothing changes.",
        )
    )
    return [
        *lines,
        *((f"{COMMAND} {name} {word.usage}".strip(), word.summary) for name, word in WORDS.items()),
    ]
