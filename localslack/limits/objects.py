"""Composition objects: options, option groups, confirmations, conversation filters."""

from __future__ import annotations

from localslack.limits.faults import ANY_TEXT, MAX_URL, PLAIN, PayloadFaults, is_one_of
from localslack.shapes import Json

MAX_OPTION_TEXT = 75
MAX_OPTION_VALUE = 150
MAX_OPTIONS = 100


def confirm(faults: PayloadFaults, value: Json, at: str) -> None:
    """The dialogue that asks before an act; it sits under ``confirm``."""
    item = value.get("confirm")
    if item is None or not faults.mapping(item, f"{at}/confirm"):
        return
    where = f"{at}/confirm"
    faults.keys(item, where, required=("title", "text", "confirm", "deny"))
    faults.text(item, "title", where, most=100, kinds=PLAIN)
    faults.text(item, "text", where, most=300)
    faults.text(item, "confirm", where, most=30, kinds=PLAIN)
    faults.text(item, "deny", where, most=30, kinds=PLAIN)
    faults.choice(item, "style", where, ("primary", "danger"))


def option(faults: PayloadFaults, item: Json, at: str) -> None:
    """An option of a menu, whose text is plain."""
    _option(faults, item, at, rich=False)


def rich_option(faults: PayloadFaults, item: Json, at: str) -> None:
    """An option of checkboxes and radio buttons, whose text may be mrkdwn."""
    _option(faults, item, at, rich=True)


def overflow_option(faults: PayloadFaults, item: Json, at: str) -> None:
    """An option of an overflow menu, which may carry a link."""
    _option(faults, item, at, rich=False)
    faults.url(item, "url", at, most=MAX_URL)


def _option(faults: PayloadFaults, item: Json, at: str, *, rich: bool) -> None:
    kinds = ANY_TEXT if rich else PLAIN
    faults.keys(item, at, required=("text", "value"))
    faults.text(item, "text", at, most=MAX_OPTION_TEXT, kinds=kinds)
    faults.string(item, "value", at, most=MAX_OPTION_VALUE)
    faults.text(item, "description", at, most=MAX_OPTION_TEXT, kinds=kinds)


def option_group(faults: PayloadFaults, item: Json, at: str) -> None:
    """A labelled group of 1 to 100 options."""
    faults.keys(item, at, required=("label", "options"))
    faults.text(item, "label", at, most=MAX_OPTION_TEXT, kinds=PLAIN)
    options = faults.items(item, "options", at, least=1, most=MAX_OPTIONS)
    faults.each(options, f"{at}/options", option)


def conversation_filter(faults: PayloadFaults, element: Json, at: str) -> None:
    """Which conversations a menu offers; it sits under ``filter``."""
    item = element.get("filter")
    if item is None or not faults.mapping(item, f"{at}/filter"):
        return
    if not item:
        faults.add(
            "must have at least one of: include, exclude_external_shared_channels, exclude_bot_users", at
        )
    for kind in faults.items(item, "include", f"{at}/filter", least=1, most=4):
        if not is_one_of(kind, ("im", "mpim", "private", "public")):
            faults.add(f"must be a valid enum value: {kind}", f"{at}/filter/include")


def dispatch_config(faults: PayloadFaults, element: Json, at: str) -> None:
    """When an input dispatches an action; it sits under ``dispatch_action_config``."""
    item = element.get("dispatch_action_config")
    if item is None or not faults.mapping(item, f"{at}/dispatch_action_config"):
        return
    where = f"{at}/dispatch_action_config"
    for kind in faults.items(item, "trigger_actions_on", where, least=1, most=2):
        if not is_one_of(kind, ("on_enter_pressed", "on_character_entered")):
            faults.add(f"must be a valid enum value: {kind}", f"{where}/trigger_actions_on")
