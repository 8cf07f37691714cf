"""Carries out commands on gates: lock, unlock, hand over, and explain why a gate is closed."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from html import escape
from typing import assert_never, get_args

from bot.domain.deployments.deploy_lock import DeployLock
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

log = logging.getLogger(__name__)

_GATE_S = 20.0
"""Seconds that one gate may take to answer."""
_SIGNS = {"proceed": "🟢", "reject": "🔴", "unknown": "🟠"}
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
        held = await self._locks.lock(wanted)
        if held.by.id != intent.by.id:
            raise NotAllowedError(
                f"{_told(held)}.",
                code="locked",
                hint=f"Ask <@{held.by.id}> to hand over the lock, or an approver to remove it.",
            )
        return (
            f"🔒 `{intent.service}` is locked until {_moment(until)}. Nobody can deploy it until then,"
            f" including you. `/deploy unlock {intent.service}` removes the lock."
        )

    async def _unlock(self, intent: UnlockDeploys) -> str:
        held = await self._held(intent.service)
        if held.by.id != intent.by.id:
            await self._require_approver(held, intent.by)
        if await self._locks.unlock(intent.service, owner=held.by.id) is None:
            raise NotFoundError(f"`{intent.service}` is no longer locked by <@{held.by.id}>.")
        if held.by.id != intent.by.id:
            # Removing another's lock is logged, and its owner is notified who removed it.
            log.warning(
                "deploy_lock_broken",
                extra={"service": held.service, "owner": held.by.id, "by": intent.by.id},
            )
            text = f"🔓 <@{intent.by.id}> removed your lock on `{held.service}`."
            await self._notifier.notify(Notice(user=held.by.id, channel=intent.channel, text=text))
        return f"🔓 `{intent.service}` is no longer locked."

    async def _hand_over(self, intent: HandOverLocks) -> str:
        profile = await self._directory.profile(intent.to)
        if not profile.is_member:
            raise NotAllowedError(
                f"<@{intent.to}> cannot hold a lock: only members can.", hint="Hand it over to a member."
            )
        mine = [lock for lock in await self._locks.held(self._catalogue.names) if lock.by.id == intent.by.id]
        heir = Person(id=intent.to, name=profile.name)
        handed = [
            lock.service
            for lock in mine
            if await self._locks.hand_over(lock.but(by=heir), owner=intent.by.id)
        ]
        if not handed:
            raise NotFoundError("You hold no locks to hand over.", hint="`/deploy locks` lists all locks.")
        named = ", ".join(f"`{service}`" for service in handed)
        text = f"🔒 <@{intent.by.id}> handed you the lock on {named}. `/deploy locks` shows when it ends."
        await self._notifier.notify(Notice(user=intent.to, channel=intent.channel, text=text))
        return f"🔒 <@{intent.to}> now holds the lock on {named}."

    async def _why_not(self, intent: AskWhyNot) -> str:
        """Ask every gate at once and list the closed ones first."""
        asked = [gate for gate in _GATES if intent.version or gate not in _OF_A_VERSION]
        told = await asyncio.gather(*(self._ask(gate, intent) for gate in asked))
        lines = [line for closed in (True, False) for is_closed, line in told if is_closed is closed]
        shut = sum(is_closed for is_closed, _ in told)
        what = f"`{intent.service}`" + (f" {escape(intent.version, quote=False)}" if intent.version else "")
        closed = f"{shut} of {len(told)} gates {'is' if shut == 1 else 'are'} closed"
        head = (
            f"*{what} cannot be deployed now*: {closed}."
            if shut
            else f"*{what} may be deployed now*: all {len(told)} gates are open."
        )
        if not intent.version:
            rest = " and ".join(f"*{gate}*" for gate in _GATES if gate in _OF_A_VERSION)
            lines.append(f"⚪ {rest} apply to one version: `/deploy why {intent.service} <version>`.")
        return "\n".join((head, *lines))

    async def _ask(self, gate: GateName, intent: AskWhyNot) -> tuple[bool, str]:
        """Return whether one gate is closed, and a line about it."""
        ctx = self._deps.context(intent.key, "why", timeout_s=_GATE_S)
        ruling = await ask_gate(ctx, gate, service=intent.service, version=intent.version, timeout_s=_GATE_S)
        return not ruling.is_open, _line(ruling)

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
                f"{_told(held)}.",
                code="not_owner",
                hint=f"Only <@{held.by.id}> or a member of {named} may remove it.",
            )


def _line(ruling: GateResult) -> str:
    if ruling.waived_by:
        told = f"{ruling.why} WAIVED: {ruling.waived_by}"
        return f"⚠️ *{ruling.gate}*: {escape(told, quote=False)}"
    line = f"{_SIGNS[ruling.verdict]} *{ruling.gate}*: {escape(ruling.why, quote=False)}"
    if ruling.is_open:
        return line
    waivable = (
        "It can be waived in an emergency." if ruling.waivable else "It cannot be waived in an emergency."
    )
    return f"{line}\n      → {escape(ruling.way_out, quote=False)} {waivable}"


def _told(lock: DeployLock) -> str:
    reason = escape(lock.reason.rstrip("."), quote=False)
    return f"<@{lock.by.id}> has locked `{lock.service}` until {_moment(lock.until)}: {reason}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
