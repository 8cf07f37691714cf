"""What a channel is told of a checklist: each waiver, by whom and why, and that it was taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.board import DesiredMessage
from bot.domain.deployments.checklist import ChecklistItem, ItemMark, title_of
from bot.views.blocks import context, message, section
from bot.views.limits import escape


def waiver_messages(
    service: str, version: str, marks: Sequence[ItemMark], *, items: Mapping[str, ChecklistItem]
) -> tuple[DesiredMessage, ...]:
    """Write a message for each item that somebody waived, in the order in which they did."""
    return tuple(
        message(
            f"waiver:{mark.item}:{mark.by.id}",
            [
                section(
                    f"{_verb(mark)} *{escape(_title(mark.item, items))}* for `{service}` {escape(version)}.",
                    f">{escape(mark.text)}" if mark.text else "",
                ),
                context(f"`/deploy checklist {service} {escape(version)}` shows the rest"),
            ],
            names={mark.by.id: mark.by.name},
        )
        for mark in marks
        if "waiver" in {mark.kind, mark.was}
    )


def _verb(mark: ItemMark) -> str:
    if mark.kind == "waiver":
        return f"⚠️ <@{mark.by.id}> has waived"
    return f"↩️ <@{mark.by.id}> has taken back the waiver of"


def _title(name: str, items: Mapping[str, ChecklistItem]) -> str:
    return title_of(name, items.get(name, ChecklistItem()))
