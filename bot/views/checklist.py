"""Messages about a checklist for a channel: each waiver, who gave it and why, and its withdrawal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.board import DesiredMessage
from bot.domain.deployments.checklist import ChecklistItem, ItemMark, title_of
from bot.views.blocks import context, message, section
from bot.views.limits import escape


def waiver_messages(
    service: str, version: str, marks: Sequence[ItemMark], *, items: Mapping[str, ChecklistItem]
) -> tuple[DesiredMessage, ...]:
    """Return a message for each item that was waived, in the order of the waivers."""
    return tuple(
        message(
            f"waiver:{mark.item}:{mark.by.id}",
            [
                section(
                    f"{_verb(mark)} *{escape(_title(mark.item, items))}* for `{service}` {escape(version)}.",
                    f">{escape(mark.text)}" if mark.text else "",
                ),
                context(f"`/deploy checklist {service} {escape(version)}` shows the whole checklist"),
            ],
            names={mark.by.id: mark.by.name},
        )
        for mark in marks
        if "waiver" in {mark.kind, mark.was}
    )


def _verb(mark: ItemMark) -> str:
    if mark.kind == "waiver":
        return f"⚠️ <@{mark.by.id}> has waived"
    return f"↩️ <@{mark.by.id}> has withdrawn the waiver of"


def _title(name: str, items: Mapping[str, ChecklistItem]) -> str:
    return title_of(name, items.get(name, ChecklistItem()))
