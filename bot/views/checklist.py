"""What a channel is told of a checklist: each waiver, by whom and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.board import Message
from bot.domain.checklist import ChecklistItem, Mark, title_of
from bot.views.blocks import context, message, section
from bot.views.limits import escape


def waiver_messages(
    service: str, version: str, marks: Sequence[Mark], *, items: Mapping[str, ChecklistItem]
) -> tuple[Message, ...]:
    """Write a message for each item that somebody waived, in the order in which they did."""
    return tuple(
        message(
            f"waiver:{mark.item}:{mark.by.id}",
            [
                section(
                    f"⚠️ <@{mark.by.id}> has waived *{escape(_title(mark.item, items))}*"
                    f" for `{service}` {escape(version)}.",
                    f">{escape(mark.text)}",
                ),
                context(f"`/deploy checklist {service} {escape(version)}` shows the rest"),
            ],
            names={mark.by.id: mark.by.name},
        )
        for mark in marks
        if mark.kind == "waiver"
    )


def _title(name: str, items: Mapping[str, ChecklistItem]) -> str:
    return title_of(name, items.get(name, ChecklistItem()))
