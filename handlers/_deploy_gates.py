"""The subcommands of `/deploy` for gates: lock, unlock, handover, locks, why, queue."""

from __future__ import annotations

from bot.domain.errors import UsageError
from bot.domain.intent import AskWhyNot, HandOverLocks, LockDeploys, UnlockDeploys
from bot.engine.params import echo
from bot.services.parsing.gates import mentioned, parse_lock_words, parse_service, valid_version
from bot.views.locks import locks_text
from bot.views.queue import queue_text
from handlers._deploy_subcommand import DeploySubcommand
from handlers.context import HandlerContext
from handlers.payloads import Payload, click_of, person_of


async def _lock(desk: HandlerContext, words: list[str], command: Payload) -> str:
    asked = parse_lock_words(words, catalogue=desk.catalogue, command="/deploy lock")
    click = click_of(command, at=desk.clock.now())
    await desk.submit(LockDeploys(**click, service=asked.service, reason=asked.reason, seconds=asked.seconds))
    return ""


async def _unlock(desk: HandlerContext, words: list[str], command: Payload) -> str:
    service = parse_service(words, catalogue=desk.catalogue, command="/deploy unlock")
    await desk.submit(UnlockDeploys(**click_of(command, at=desk.clock.now()), service=service))
    return ""


async def _handover(desk: HandlerContext, words: list[str], command: Payload) -> str:
    del words  # they show a mention as people see it; the person's id is in the raw text of the command
    to = mentioned(command.get("text") or "", command="/deploy handover")
    await desk.submit(HandOverLocks(**click_of(command, at=desk.clock.now()), to=to))
    return ""


async def _locks(desk: HandlerContext, words: list[str], command: Payload) -> str:
    right = await desk.reader(person_of(command))
    if words:
        raise UsageError(f"Unexpected `{echo(words[0])}` after `/deploy locks`.", hint="Try `/deploy locks`.")
    return locks_text(await desk.locked(desk.readable(right)))


async def _why(desk: HandlerContext, words: list[str], command: Payload) -> str:
    service = parse_service([*words[:1], *words[2:]], catalogue=desk.catalogue, command="/deploy why")
    version = valid_version(words[1], example=f"Try `/deploy why {service}`.") if len(words) > 1 else ""
    await desk.submit(AskWhyNot(**click_of(command, at=desk.clock.now()), service=service, version=version))
    return ""


async def _queue(desk: HandlerContext, words: list[str], command: Payload) -> str:
    right = await desk.reader(person_of(command))
    service = parse_service(words, catalogue=desk.catalogue, command="/deploy queue") if words else ""
    return queue_text(await desk.queues(desk.readable(right, service)), service=service)


WORDS: dict[str, DeploySubcommand] = {
    "lock": DeploySubcommand(
        usage="<service> <reason> [2h]",
        summary="Block deployments of a service, for 4 hours or as long as you choose.",
        run=_lock,
    ),
    "unlock": DeploySubcommand(
        usage="<service>",
        summary="Remove your lock; an approver can remove any lock, and its owner is notified.",
        run=_unlock,
    ),
    "handover": DeploySubcommand(
        usage="@person", summary="Hand all your locks over to someone.", run=_handover
    ),
    "locks": DeploySubcommand(
        usage="", summary="List the locks: who, which service, why, and until when.", reads=True, run=_locks
    ),
    "why": DeploySubcommand(
        usage="<service> [version]",
        summary="Show which gates block a deployment now, why, until when, and how to open them.",
        reads=True,
        run=_why,
    ),
    "queue": DeploySubcommand(
        usage="[service]",
        summary="Show who is deploying, who is queued behind whom, and when each is likely to start.",
        reads=True,
        run=_queue,
    ),
}
