"""A checklist as text, answers to commands on it, and messages for a channel about its waivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.board import DesiredMessage
from bot.domain.deployments.checklist import ChecklistItem, ItemMark, ItemState, title_of
from bot.views.blocks import context, message, section
from bot.views.limits import escape

_SIGNS = {"done": "✅", "waived": "⚠️", "open": "⬜", "failed": "🔴", "unknown": "🟠"}


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


def checklist_text(service: str, version: str, states: Sequence[ItemState]) -> str:
    """Return how many items are missing, then each item on a line, with the command that ticks it."""
    missing = sum(state.holds_up for state in states)
    missed = f"{missing} of {len(states)} items {'is' if missing == 1 else 'are'} missing"
    head = f"*Checklist of `{service}` {version}*: {missed if missing else 'nothing is missing'}."
    return "\n".join((head, *(_line(service, version, state) for state in states)))


def no_checklist_text(service: str) -> str:
    """Return that a service has no checklist, and how to add one."""
    return f"The catalogue has no checklist for `{service}`; add one as `gates: {{checklist: …}}`."


def ticked_text(title: str) -> str:
    """Return that an item is ticked."""
    return f"☑️ *{escape(title)}* is ticked."


def waived_text(title: str, service: str, version: str, *, channel: str) -> str:
    """Return that an item is waived, where that is posted, and what the waiver does not count for."""
    where = f"in #{channel}" if channel else "where this service's messages go"
    return (
        f"⚠️ *{escape(title)}* is waived for `{service}` {version}, and this is posted {where}."
        " Your waiver does not count for deployments that you request yourself."
    )


def withdrawn_text(item: str, kind: str) -> str:
    """Return that a person has withdrawn a tick or a waiver."""
    return f"↩️ You have withdrawn your {kind} of `{item}`."


def _line(service: str, version: str, state: ItemState) -> str:
    text = escape(state.text)
    if state.by is not None:
        verb = "waived for others' deployments by" if state.status == "waived" else "ticked by"
        text = f"{verb} <@{state.by.id}>" + (f": {text}" if text else "")
    line = f"{_SIGNS[state.status]} *{escape(state.title)}*" + (f": {text}" if text else "")
    if state.status == "open":
        line += f" → `/deploy tick {service} {version} {state.item}`"
    return line


def _verb(mark: ItemMark) -> str:
    if mark.kind == "waiver":
        return f"⚠️ <@{mark.by.id}> has waived"
    return f"↩️ <@{mark.by.id}> has withdrawn the waiver of"


def _title(name: str, items: Mapping[str, ChecklistItem]) -> str:
    return title_of(name, items.get(name, ChecklistItem()))
