"""Carries out commands on checklists: tick an item, waive it, show the state of all."""

from __future__ import annotations

import logging
from typing import assert_never

from bot.domain.board import Topic
from bot.domain.deployments.checklist import ChecklistItem, ItemMark, title_of
from bot.domain.errors import NotAllowedError, NotFoundError
from bot.domain.intent import AnyChecklistIntent, ShowChecklist, TickItem, UntickItem, WaiveItem
from bot.engine.deps import Deps
from bot.ports.directory import Directory
from bot.services.checklists import look_at_checklist
from bot.views.checklist import (
    checklist_text,
    no_checklist_text,
    ticked_text,
    waived_text,
    withdrawn_text,
)

log = logging.getLogger(__name__)

_LOOK_S = 20.0
"""Seconds that the probes of all items together may take."""


class ChecklistCommands:
    """Carries out a command and returns the answer as text; the person is known to be a member."""

    def __init__(self, deps: Deps, *, directory: Directory) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._catalogue = deps.catalogue
        self._checklists = deps.stores.checklists
        self._directory = directory
        self._board = deps.stores.board

    async def carry_out(self, intent: AnyChecklistIntent) -> str:
        """Carry out the command and return the answer to the person who sent it, as mrkdwn.

        Raises:
            NotAllowedError: the item is checked by a probe, or the person who waives it is not an approver.
            NotFoundError: the checklist has no such item, or there is nothing to withdraw.
        """
        match intent:
            case TickItem():
                return await self._tick(intent)
            case WaiveItem():
                return await self._waive(intent)
            case UntickItem():
                return await self._untick(intent)
            case ShowChecklist():
                return await self._show(intent)
            case _:
                assert_never(intent)

    async def _tick(self, intent: TickItem) -> str:
        item = self._item(intent)
        if item.probe:
            raise NotAllowedError(
                f"“{title_of(intent.item, item)}” is checked by `{item.probe}`, not by people.",
                code="checked_by_probe",
                hint="Fix the failing check, or ask an approver to run"
                f" `/deploy waive {_named(intent)} <reason>`.",
            )
        mark = ItemMark(item=intent.item, kind="tick", by=intent.by, at=intent.at, text=intent.note)
        await self._checklists.mark(intent.service, intent.version, mark)
        return f"{ticked_text(title_of(intent.item, item))}\n{await self._shown(intent)}"

    async def _waive(self, intent: WaiveItem) -> str:
        entry, item = self._catalogue.get(intent.service), self._item(intent)
        if not await self._directory.groups_of(intent.by.id, among=entry.approvers, fresh=True):
            named = ", ".join(f"`{group}`" for group in entry.approvers)
            raise NotAllowedError(
                f"Only members of {named} may waive a checklist item of `{intent.service}`.",
                code="not_approver",
                hint="Ask one of them, or complete the item.",
            )
        mark = ItemMark(item=intent.item, kind="waiver", by=intent.by, at=intent.at, text=intent.reason)
        if await self._checklists.mark(intent.service, intent.version, mark):
            fields = {"service": intent.service, "version": intent.version, "item": intent.item}
            log.warning("checklist_item_waived", extra={**fields, "by": intent.by.id})
            await self._post(intent)
        title = title_of(intent.item, item)
        return waived_text(title, intent.service, intent.version, channel=entry.channel)

    async def _untick(self, intent: UntickItem) -> str:
        marks = await self._checklists.marks(intent.service, intent.version)
        own = next((m for m in marks if (m.item, m.by.id) == (intent.item, intent.by.id)), None)
        again = own is not None and own.kind == "withdrawn" and own.at == intent.at
        if own is None or (own.kind == "withdrawn" and not again):
            raise NotFoundError(f"You have neither ticked nor waived `{intent.item}` of {intent.version}.")
        if own.kind != "withdrawn":
            mark = ItemMark(item=intent.item, kind="withdrawn", was=own.kind, by=intent.by, at=intent.at)
            await self._checklists.mark(intent.service, intent.version, mark)
        if "waiver" in {own.kind, own.was}:
            await self._post(intent)
        return f"{withdrawn_text(intent.item, own.was or own.kind)}\n{await self._shown(intent)}"

    async def _post(self, intent: WaiveItem | UntickItem) -> None:
        await self._board.mark(Topic(kind="checklist", id=f"{intent.service}:{intent.version}"))

    async def _show(self, intent: ShowChecklist) -> str:
        if not self._catalogue.get(intent.service).gates.checklist:
            return no_checklist_text(intent.service)
        return await self._shown(intent)

    async def _shown(self, intent: AnyChecklistIntent) -> str:
        ctx = self._deps.context(intent.key, "checklist", timeout_s=_LOOK_S)
        states = await look_at_checklist(ctx, intent.service, intent.version, requester=None)
        return checklist_text(intent.service, intent.version, states)

    def _item(self, intent: TickItem | WaiveItem) -> ChecklistItem:
        found = self._catalogue.get(intent.service).gates.checklist.get(intent.item)
        if found is None:
            raise NotFoundError(f"The checklist of `{intent.service}` no longer has an item `{intent.item}`.")
        return found


def _named(intent: TickItem) -> str:
    return f"{intent.service} {intent.version} {intent.item}"
