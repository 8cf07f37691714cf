"""Interactive elements: which exist, where each is allowed, and the limits of each."""

from __future__ import annotations

import re
from typing import Any

from localslack.limits.faults import MAX_ID, PLAIN, PayloadFaults, Rule
from localslack.limits.objects import (
    MAX_OPTIONS,
    confirm,
    conversation_filter,
    dispatch_config,
    option,
    option_group,
    overflow_option,
    rich_option,
)
from localslack.shapes import Json

MAX_PLACEHOLDER = 150
MAX_INPUT = 3000
_DATE = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


def element(faults: PayloadFaults, value: Any, at: str, *, allowed: frozenset[str]) -> None:  # noqa: ANN401
    """Check one element and that the block around it allows it."""
    if not faults.mapping(value, at):
        return
    kind = value.get("type")
    rule = RULES.get(kind) if isinstance(kind, str) else None
    if rule is None or kind not in allowed:
        faults.add(f"unsupported type: {kind}", f"{at}/type")
        return
    faults.string(value, "action_id", at, most=MAX_ID, least=1)
    confirm(faults, value, at)
    rule(faults, value, at)


def _button(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("text",))
    faults.text(value, "text", at, most=75, kinds=PLAIN)
    faults.string(value, "value", at, most=2000)
    faults.url(value, "url", at)
    faults.choice(value, "style", at, ("primary", "danger"))
    faults.string(value, "accessibility_label", at, most=75)


def _workflow_button(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("text", "workflow"))
    faults.text(value, "text", at, most=75, kinds=PLAIN)
    faults.choice(value, "style", at, ("primary", "danger"))
    faults.string(value, "accessibility_label", at, most=75)


def _icon_button(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("icon", "text"))
    faults.choice(value, "icon", at, ("trash",))
    faults.text(value, "text", at, most=75, kinds=PLAIN)
    faults.string(value, "value", at, most=2000)
    faults.string(value, "accessibility_label", at, most=75)
    faults.items(value, "visible_to_user_ids", at, most=10)


def _feedback_buttons(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("positive_button", "negative_button"))
    for key in ("positive_button", "negative_button"):
        button = value.get(key)
        where = f"{at}/{key}"
        if button is not None and faults.mapping(button, where):
            faults.keys(button, where, required=("text", "value"))
            faults.text(button, "text", where, most=75, kinds=PLAIN)
            faults.string(button, "value", where, most=2000)
            faults.string(button, "accessibility_label", where, most=75)


def _menu(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.text(value, "placeholder", at, most=MAX_PLACEHOLDER, kinds=PLAIN)
    faults.number(value, "max_selected_items", at, least=1, most=10_000)


def _static_select(faults: PayloadFaults, value: Json, at: str) -> None:
    _menu(faults, value, at)
    if ("options" in value) == ("option_groups" in value):
        faults.add("exactly one of options and option_groups is required", at)
    options = faults.items(value, "options", at, least=1, most=MAX_OPTIONS)
    faults.each(options, f"{at}/options", option)
    groups = faults.items(value, "option_groups", at, least=1, most=MAX_OPTIONS)
    faults.each(groups, f"{at}/option_groups", option_group)
    known = [*options, *(o for g in groups if isinstance(g, dict) for o in _list(g.get("options")))]
    _initial(faults, value, at, known)


def _list(value: Any) -> list[Any]:  # noqa: ANN401  # whatever was sent
    return value if isinstance(value, list) else []


def _initial(faults: PayloadFaults, value: Json, at: str, known: list[Any]) -> None:
    values = [o.get("value") for o in known if isinstance(o, dict)]
    single = value.get("initial_option")
    several = value.get("initial_options")
    chosen = ([single] if single is not None else []) + (several if isinstance(several, list) else [])
    if several is not None and not several:
        faults.add("no fewer than 1 items allowed", f"{at}/initial_options")
    for item in chosen:
        if not isinstance(item, dict) or item.get("value") not in values:
            faults.add("initial option must be one of the options", at)


def _external_select(faults: PayloadFaults, value: Json, at: str) -> None:
    _menu(faults, value, at)
    faults.number(value, "min_query_length", at, least=0, most=1000)


def _conversations_select(faults: PayloadFaults, value: Json, at: str) -> None:
    _menu(faults, value, at)
    conversation_filter(faults, value, at)


def _overflow(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("options",))
    options = faults.items(value, "options", at, least=1, most=5)
    faults.each(options, f"{at}/options", overflow_option)


def _boxes(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("options",))
    options = faults.items(value, "options", at, least=1, most=10)
    faults.each(options, f"{at}/options", rich_option)
    _initial(faults, value, at, options)


def _datepicker(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.text(value, "placeholder", at, most=MAX_PLACEHOLDER, kinds=PLAIN)
    _pattern(faults, value, "initial_date", at, pattern=_DATE, words="a date, YYYY-MM-DD")


def _timepicker(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.text(value, "placeholder", at, most=MAX_PLACEHOLDER, kinds=PLAIN)
    _pattern(faults, value, "initial_time", at, pattern=_TIME, words="a time, HH:mm")


def _datetimepicker(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.number(value, "initial_date_time", at, least=1_000_000_000, most=9_999_999_999)


def _pattern(
    faults: PayloadFaults, value: Json, key: str, at: str, *, pattern: re.Pattern[str], words: str
) -> None:
    item = value.get(key)
    if item is not None and not (isinstance(item, str) and pattern.match(item)):
        faults.add(f"must be {words}", f"{at}/{key}")


def _plain_text_input(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.text(value, "placeholder", at, most=MAX_PLACEHOLDER, kinds=PLAIN)
    faults.number(value, "min_length", at, least=0, most=MAX_INPUT)
    faults.number(value, "max_length", at, least=1, most=MAX_INPUT)
    least, most = value.get("min_length"), value.get("max_length")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        faults.add("min_length must not exceed max_length", at)
    dispatch_config(faults, value, at)


def _typed_input(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.text(value, "placeholder", at, most=MAX_PLACEHOLDER, kinds=PLAIN)
    dispatch_config(faults, value, at)


def _number_input(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.keys(value, at, required=("is_decimal_allowed",))
    _typed_input(faults, value, at)


def _file_input(faults: PayloadFaults, value: Json, at: str) -> None:
    faults.number(value, "max_files", at, least=1, most=10)


def image_element(faults: PayloadFaults, value: Json, at: str) -> None:
    """A small picture: by link or by an uploaded file, and described in words."""
    faults.keys(value, at, required=("alt_text",))
    faults.string(value, "alt_text", at, most=2000)
    faults.url(value, "image_url", at)
    if ("image_url" in value) == ("slack_file" in value):
        faults.add("exactly one of image_url and slack_file is required", at)
    file = value.get("slack_file")
    if file is not None and faults.mapping(file, f"{at}/slack_file") and ("id" in file) == ("url" in file):
        faults.add("exactly one of id and url is required", f"{at}/slack_file")


RULES: dict[str, Rule] = {
    "button": _button,
    "workflow_button": _workflow_button,
    "icon_button": _icon_button,
    "feedback_buttons": _feedback_buttons,
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "external_select": _external_select,
    "multi_external_select": _external_select,
    "users_select": _menu,
    "multi_users_select": _menu,
    "channels_select": _menu,
    "multi_channels_select": _menu,
    "conversations_select": _conversations_select,
    "multi_conversations_select": _conversations_select,
    "overflow": _overflow,
    "checkboxes": _boxes,
    "radio_buttons": _boxes,
    "datepicker": _datepicker,
    "timepicker": _timepicker,
    "datetimepicker": _datetimepicker,
    "plain_text_input": _plain_text_input,
    "email_text_input": _typed_input,
    "url_text_input": _typed_input,
    "number_input": _number_input,
    "rich_text_input": _typed_input,
    "file_input": _file_input,
    "image": image_element,
}

_MENUS = frozenset(name for name in RULES if name.endswith("_select"))
_PICKERS = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker"})
_TEXTS = frozenset(
    {"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"}
)

IN_SECTION = _MENUS | _PICKERS | {"button", "workflow_button", "overflow", "image"}
IN_ACTIONS = (
    _MENUS | _PICKERS | {"button", "workflow_button", "overflow", "datetimepicker", "rich_text_input"}
)
IN_INPUT = _MENUS | _PICKERS | _TEXTS | {"datetimepicker", "file_input"}
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
