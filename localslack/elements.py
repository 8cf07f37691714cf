"""What a person does with an element: its new state, and the action that is sent to the app."""

from __future__ import annotations

from typing import Any

from localslack.errors import ActError
from localslack.ids import elements_of
from localslack.shapes import Blocks, Json

_STATELESS = frozenset({"button", "workflow_button", "icon_button", "feedback_buttons", "overflow"})
_PICKS = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "file_input": "files",
    "rich_text_input": "rich_text_value",
}
_INITIAL = {
    "users_select": "initial_user",
    "channels_select": "initial_channel",
    "conversations_select": "initial_conversation",
    "datepicker": "initial_date",
    "timepicker": "initial_time",
    "datetimepicker": "initial_date_time",
    "multi_users_select": "initial_users",
    "multi_channels_select": "initial_channels",
    "multi_conversations_select": "initial_conversations",
    "rich_text_input": "initial_value",
}
_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})


def is_stateful(element: Json) -> bool:
    """Return whether an element keeps a value: buttons and overflow menus do not."""
    return element.get("type") not in _STATELESS


def state_of(element: Json, value: Any) -> Json:  # noqa: ANN401  # a string, a list or a ready-made state
    """Return the state of ``element`` once a person has chosen ``value``.

    ``value`` is an option's value (or its text), a list of those, an id, a date, or what was typed;
    None empties it.

    Raises:
        ActError: ``no_such_option``.
    """
    kind = str(element.get("type"))
    if kind in _OPTION:
        chosen = None if value is None else find_option(element, value)
        return {"type": kind, "selected_option": chosen}
    if kind in _OPTIONS:
        several = value if isinstance(value, list) else [] if value is None else [value]
        return {"type": kind, "selected_options": [find_option(element, one) for one in several]}
    if kind in _PICKS:
        many = kind.startswith("multi_") or kind == "file_input"
        fitting = [] if value is None else value if isinstance(value, list) else [value]
        return {"type": kind, _PICKS[kind]: fitting if many else value}
    return {"type": kind, "value": None if value is None else str(value)}


def initial_state(element: Json) -> Json:
    """Return the initial state of an element."""
    kind = str(element.get("type"))
    if kind in _OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    if kind in _PICKS:
        empty: list[str] | None = [] if kind.startswith("multi_") or kind == "file_input" else None
        return {"type": kind, _PICKS[kind]: element.get(_INITIAL.get(kind, ""), empty)}
    return {"type": kind, "value": element.get("initial_value")}


def is_blank(state: Json) -> bool:
    """Return whether nothing is chosen or typed."""
    return not any(value for key, value in state.items() if key != "type")


def find_option(element: Json, key: Any) -> Json:  # noqa: ANN401  # an option or what names one
    """Return the option with that value or visible text.

    Raises:
        ActError: ``no_such_option``, with the available values.
    """
    if isinstance(key, dict):
        return key
    options = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group.get("options") or []
    for option in options:
        if key == option.get("value") or key == (option.get("text") or {}).get("text"):
            return _without_url(option)
    known = ", ".join(str(o.get("value")) for o in options)
    raise ActError(
        "no_such_option", f"{element.get('action_id')} has no option {key!r}; available: {known or 'none'}."
    )


def _without_url(option: Json) -> Json:
    return {key: value for key, value in option.items() if key != "url"}


def values_of(blocks: Blocks, chosen: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """Return ``state.values`` of a message or a view: what was chosen, else the initial values."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements_of(blocks):
        if is_stateful(element):
            block_id, action_id = str(block.get("block_id")), str(element.get("action_id"))
            state = chosen.get(block_id, {}).get(action_id) or initial_state(element)
            values.setdefault(block_id, {})[action_id] = state
    return values


def action_of(block: Json, element: Json, value: Any, *, ts: str) -> Json:  # noqa: ANN401  # see state_of
    """Return one entry of ``actions`` in a block_actions payload.

    Raises:
        ActError: ``no_such_option``, ``no_value``.
    """
    kind = element.get("type")
    made: Json = {
        "type": kind,
        "action_id": element.get("action_id"),
        "block_id": block.get("block_id"),
        "action_ts": ts,
    }
    if kind == "overflow" and value is None:
        raise ActError("no_value", f"Name which entry of the menu {element.get('action_id')!r} to take.")
    if kind == "feedback_buttons":
        which = "negative_button" if value in {"negative", "negative_button"} else "positive_button"
        return {**made, "value": (element.get(which) or {}).get("value")}
    if kind in {"button", "workflow_button", "icon_button"}:
        return made | {
            key: element[key] for key in ("text", "value", "style", "url", "icon") if key in element
        }
    extra: Json = {key: element[key] for key in ("placeholder", "confirm") if key in element}
    initial = {key: item for key, item in element.items() if key.startswith("initial_")}
    return {**made, **extra, **initial, **state_of(element, value)}
