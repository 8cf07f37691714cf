"""Carries out commands on gates: lock, unlock, hand over, and explain why a gate is closed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Literal, assert_never, get_args

from bot.domain.deployments.asker import DeployAsker
from bot.domain.deployments.deploy_lock import DeployLock, LockChange, unlocking
from bot.domain.deployments.gate import GateName, GateResult
from bot.domain.errors import NotAllowedError, NotFoundError
from bot.domain.intent import (
    AnyGateIntent,
    AskWhyNot,
    HandOverLocks,
    LockDeploys,
    Notice,
    ShowChecklist,
    TickItem,
    UnlockDeploys,
    UntickItem,
    WaiveItem,
)
from bot.domain.people import Person
from bot.engine.deps import Deps
from bot.ports.directory import Directory
from bot.ports.notifier import Notifier
from bot.services.checklist_commands import ChecklistCommands
from bot.services.gates import ask_gate
from bot.views.gates import gates_text
from bot.views.locks import (
    handed_over_text,
    lock_removed_text,
    lock_words,
    locked_text,
    received_text,
    unlocked_text,
)

log = logging.getLogger(__name__)

_GATE_S = 20.0
"""Seconds that one gate may take to answer."""
_GATES: tuple[GateName, ...] = get_args(GateName)
_OF_A_VERSION: frozenset[GateName] = frozenset({"staging", "checklist"})
"""Gates that apply to one version; without a version they are not asked."""


class GateCommands:
    """Carries out a command and returns the answer as text; the person is known to be a member."""

    def __init__(self, deps: Deps, *, directory: Directory, notifier: Notifier) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._catalogue = deps.catalogue
        self._locks = deps.stores.deploy_locks
        self._checklists = ChecklistCommands(deps, directory=directory)
        self._directory = directory
        self._notifier = notifier

    async def carry_out(self, intent: AnyGateIntent) -> str:
        """Carry out the command and return the answer to the person who sent it, as mrkdwn.

        Raises:
            NotAllowedError: the lock belongs to another person, or would go to a person who is not a member.
            NotFoundError: no lock can be removed or handed over.
        """
        log.info("gate_asked", extra={"intent": intent.type, "by": intent.by.id})
        match intent:
            case LockDeploys():
                return await self._lock(intent)
            case UnlockDeploys():
                return await self._unlock(intent)
            case HandOverLocks():
                return await self._hand_over(intent)
            case AskWhyNot():
                return await self._why_not(intent)
            case TickItem() | WaiveItem() | UntickItem() | ShowChecklist():
                return await self._checklists.carry_out(intent)
            case _:
                assert_never(intent)

    async def _lock(self, intent: LockDeploys) -> str:
        until = intent.at + timedelta(seconds=intent.seconds)
        wanted = DeployLock(
            service=intent.service, by=intent.by, reason=intent.reason, at=intent.at, until=until
        )
        held = await self._locks.lock(wanted, change=_change("locked", intent, wanted))
        if held.by.id != intent.by.id:
            raise NotAllowedError(
                f"{lock_words(held)}.",
                code="locked",
                hint=f"Ask <@{held.by.id}> to hand over the lock, or an approver to remove it.",
            )
        return locked_text(held)

    async def _unlock(self, intent: UnlockDeploys) -> str:
        held = await self._held(intent.service)
        if held.by.id != intent.by.id:
            await self._require_approver(held, intent.by)
        change = _change("unlocked", intent, held)
        if await self._locks.unlock(intent.service, owner=held.by.id, change=change) is None:
            raise NotFoundError(f"`{intent.service}` is no longer locked by <@{held.by.id}>.")
        if held.by.id != intent.by.id:
            # Removing another's lock is logged, and its owner is notified who removed it.
            log.warning(
                "deploy_lock_broken",
                extra={"service": held.service, "owner": held.by.id, "by": intent.by.id},
            )
            text = lock_removed_text(held, by=intent.by)
            await self._notifier.notify(Notice(user=held.by.id, channel=intent.channel, text=text))
        return unlocked_text(intent.service)

    async def _hand_over(self, intent: HandOverLocks) -> str:
        profile = await self._directory.profile(intent.to)
        if not profile.is_member:
            raise NotAllowedError(
                f"<@{intent.to}> cannot hold a lock: only members can.", hint="Hand it over to a member."
            )
        mine = [lock for lock in await self._locks.held(self._catalogue.names) if lock.by.id == intent.by.id]
        heir = Person(id=intent.to, name=profile.name)
        handed = [lock.service for lock in mine if await self._hand(lock.but(by=heir), intent)]
        if not handed:
            raise NotFoundError("You hold no locks to hand over.", hint="`/deploy locks` lists all locks.")
        text = received_text(handed, by=intent.by)
        await self._notifier.notify(Notice(user=intent.to, channel=intent.channel, text=text))
        return handed_over_text(handed, to=heir)

    async def _hand(self, lock: DeployLock, intent: HandOverLocks) -> bool:
        change = _change("handed_over", intent, lock)
        return await self._locks.hand_over(lock, owner=intent.by.id, change=change)

    async def _why_not(self, intent: AskWhyNot) -> str:
        """Ask every gate at once, as for a deployment by the person who asks; list the closed ones first."""
        asked = [gate for gate in _GATES if intent.version or gate not in _OF_A_VERSION]
        asker = await self._asker(intent)
        rulings = await asyncio.gather(*(self._ask(gate, intent, asker) for gate in asked))
        left = [gate for gate in _GATES if gate not in asked]
        return gates_text(intent.service, intent.version, rulings, of_a_version=left, asker=asker)

    async def _asker(self, intent: AskWhyNot) -> DeployAsker:
        groups = self._catalogue.get(intent.service).approvers
        profile = await self._directory.profile(intent.by.id)
        mine = await self._directory.groups_of(intent.by.id, among=groups)
        return DeployAsker(person=intent.by, why_not=profile.why_not, approvers=groups, groups=mine)

    async def _ask(self, gate: GateName, intent: AskWhyNot, asker: DeployAsker) -> GateResult:
        ctx = replace(self._deps.context(intent.key, "why", timeout_s=_GATE_S), asker=intent.by)
        ruling = await ask_gate(ctx, gate, service=intent.service, version=intent.version, timeout_s=_GATE_S)
        if gate != "lock" or ruling.is_open:
            return ruling
        held = next(iter(await self._locks.held((intent.service,))), None)
        if held is None:
            return ruling
        return ruling.but(way_out=unlocking(held, asker=asker.person, is_approver=bool(asker.groups)))

    async def _held(self, service: str) -> DeployLock:
        found = await self._locks.held((service,))
        if not found:
            raise NotFoundError(f"`{service}` is not locked.", hint="`/deploy locks` lists all locks.")
        return found[0]

    async def _require_approver(self, held: DeployLock, by: Person) -> None:
        groups = self._catalogue.get(held.service).approvers
        if not await self._directory.groups_of(by.id, among=groups, fresh=True):
            named = ", ".join(f"`{group}`" for group in groups)
            raise NotAllowedError(
                f"{lock_words(held)}.",
                code="not_owner",
                hint=f"Only <@{held.by.id}> or a member of {named} may remove it.",
            )


def _change(
    kind: Literal["locked", "handed_over", "unlocked"],
    intent: LockDeploys | UnlockDeploys | HandOverLocks,
    lock: DeployLock,
) -> LockChange:
    return LockChange(key=intent.key, kind=kind, by=intent.by, at=intent.at, lock=lock)
