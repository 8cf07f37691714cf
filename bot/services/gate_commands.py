"""Carry out what people ask of the gates: lock, unlock, hand over, say why not."""

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
"""How long one gate may take to answer."""
_SIGNS = {"proceed": "🟢", "reject": "🔴", "unknown": "🟠"}
_GATES: tuple[GateName, ...] = get_args(GateName)
_OF_A_VERSION: frozenset[GateName] = frozenset({"staging", "checklist"})
"""Gates that are asked about one version, and of none if none is named."""


class GateCommands:
    """Does what was asked, and says in words what has come of it; that whoever asks is a member is known."""

    def __init__(self, deps: Deps, *, directory: Directory, teller: Notifier) -> None:
        """Keep the surroundings."""
        self._deps = deps
        self._catalogue = deps.catalogue
        self._locks = deps.stores.deploy_locks
        self._checklists = ChecklistCommands(deps, directory=directory)
        self._directory = directory
        self._teller = teller

    async def carry_out(self, intent: AnyGateIntent) -> str:
        """Do it, and give the answer for whoever asked, as mrkdwn.

        Raises:
            NotAllowedError: the lock is somebody else's, or a lock would go to somebody who is no member.
            NotFoundError: there is no lock to take off or to hand over.
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
                hint=f"Ask <@{held.by.id}> to hand it over, or an approver to take it off.",
            )
        return (
            f"🔒 `{intent.service}` is locked until {_moment(until)}: nobody deploys it before that, you"
            f" neither. `/deploy unlock {intent.service}` takes the lock off."
        )

    async def _unlock(self, intent: UnlockDeploys) -> str:
        held = await self._held(intent.service)
        if held.by.id != intent.by.id:
            await self._require_approver(held, intent.by)
        if await self._locks.unlock(intent.service, owner=held.by.id) is None:
            raise NotFoundError(f"`{intent.service}` is not locked by <@{held.by.id}> any more.")
        if held.by.id != intent.by.id:
            # Another's lock is not taken off in silence: it is logged, and its owner is told by whom.
            log.warning(
                "deploy_lock_broken",
                extra={"service": held.service, "owner": held.by.id, "by": intent.by.id},
            )
            text = f"🔓 <@{intent.by.id}> has taken your lock of `{held.service}` off."
            await self._teller.tell(Notice(user=held.by.id, channel=intent.channel, text=text))
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
            raise NotFoundError("You hold no lock to hand over.", hint="`/deploy locks` lists all.")
        named = ", ".join(f"`{service}`" for service in handed)
        text = f"🔒 <@{intent.by.id}> has handed you the lock of {named}; `/deploy locks` tells until when."
        await self._teller.tell(Notice(user=intent.to, channel=intent.channel, text=text))
        return f"🔒 <@{intent.to}> holds the lock of {named} now."

    async def _why_not(self, intent: AskWhyNot) -> str:
        """Ask every gate at once; the closed ones come first."""
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
            lines.append(f"⚪ {rest}: of a version only: `/deploy why {intent.service} <version>`.")
        return "\n".join((head, *lines))

    async def _ask(self, gate: GateName, intent: AskWhyNot) -> tuple[bool, str]:
        """Tell whether one gate is closed, and a line about it."""
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
        if not await self._directory.groups_of(by.id, among=groups):
            named = ", ".join(f"`{group}`" for group in groups)
            raise NotAllowedError(
                f"{_told(held)}.",
                code="not_owner",
                hint=f"Only <@{held.by.id}> or somebody in {named} may take it off.",
            )


def _line(ruling: GateResult) -> str:
    if ruling.waived_by:
        told = f"{ruling.why} WAIVED: {ruling.waived_by}"
        return f"⚠️ *{ruling.gate}*: {escape(told, quote=False)}"
    line = f"{_SIGNS[ruling.verdict]} *{ruling.gate}*: {escape(ruling.why, quote=False)}"
    if ruling.is_open:
        return line
    waivable = "An emergency opens it." if ruling.waivable else "No emergency opens it."
    return f"{line}\n      → {escape(ruling.way_out, quote=False)} {waivable}"


def _told(lock: DeployLock) -> str:
    reason = escape(lock.reason.rstrip("."), quote=False)
    return f"<@{lock.by.id}> has locked `{lock.service}` until {_moment(lock.until)}: {reason}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
