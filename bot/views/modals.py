"""The modals, and functions that read their submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.model import JsonObject
from bot.views import ids
from bot.views.blocks import section
from bot.views.limits import METADATA_CHARS, OPTION_CHARS, OPTION_VALUE_CHARS, SELECT_OPTIONS, plain

_SINCE = {"15m": "15 minutes", "30m": "30 minutes", "1h": "1 hour", "3h": "3 hours", "12h": "12 hours"}
_DEFAULT_SINCE = "30m"


def pick_service_modal(
    services: Sequence[str], *, private_metadata: str, initial: str | None = None
) -> JsonObject:
    """Return the modal that asks for the service and how far back to look.

    Raises:
        ValueError: ``private_metadata`` is longer than Slack allows.
    """
    names = [name for name in services if 0 < len(name) <= OPTION_VALUE_CHARS]
    if names:
        blocks, submit = [_service_field(names, initial=initial), _since_field()], "Triage"
    else:
        blocks, submit = [section("The catalogue lists no services yet, so there is nothing to triage.")], ""
    return modal(
        ids.PICK_SERVICE,
        title="Triage a service",
        blocks=blocks,
        submit=submit,
        private_metadata=private_metadata,
    )


def modal(
    callback_id: str,
    *,
    title: str,
    blocks: Sequence[JsonObject],
    submit: str = "",
    close: str = "Cancel",
    private_metadata: str = "",
) -> JsonObject:
    """Return a modal; without ``submit`` it is read-only.

    Raises:
        ValueError: ``private_metadata`` is longer than Slack allows.
    """
    if len(private_metadata) > METADATA_CHARS:
        raise ValueError(f"private_metadata is longer than {METADATA_CHARS} characters")
    view: JsonObject = {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        "title": _text(title),
        "close": _text(close),
        "blocks": list(blocks),
    }
    return {**view, "submit": _text(submit)} if submit else view


def picked(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the service's name and the duration, such as ``30m``, of a submission's ``view.state.values``.

    Raises:
        KeyError: the submission is not from this modal.
    """
    service = values[ids.SERVICE_BLOCK][ids.SERVICE_INPUT]["selected_option"]["value"]
    since = values[ids.SINCE_BLOCK][ids.SINCE_INPUT]["selected_option"]["value"]
    return str(service), str(since)


def _service_field(names: Sequence[str], *, initial: str | None) -> JsonObject:
    select: JsonObject = {
        "type": "static_select",
        "action_id": ids.SERVICE_INPUT,
        "placeholder": _text("Choose a service"),
    }
    ordered = sorted(names)
    pages = [ordered[i : i + SELECT_OPTIONS] for i in range(0, len(ordered), SELECT_OPTIONS)][:SELECT_OPTIONS]
    if len(pages) == 1:
        select["options"] = [option(name, name) for name in ordered]
    else:
        select["option_groups"] = [
            {
                "label": _text(plain(f"{page[0]} … {page[-1]}", OPTION_CHARS)),
                "options": [option(name, name) for name in page],
            }
            for page in pages
        ]
    if initial is not None and any(initial in page for page in pages):
        select["initial_option"] = option(initial, initial)
    return field(ids.SERVICE_BLOCK, "Service", select)


def _since_field() -> JsonObject:
    select: JsonObject = {
        "type": "static_select",
        "action_id": ids.SINCE_INPUT,
        "options": [option(value, words) for value, words in _SINCE.items()],
        "initial_option": option(_DEFAULT_SINCE, _SINCE[_DEFAULT_SINCE]),
    }
    return field(ids.SINCE_BLOCK, "Look back", select)


def field(block_id: str, label: str, element: JsonObject, *, optional: bool = False) -> JsonObject:
    """Return an input field of a modal."""
    made: JsonObject = {"type": "input", "block_id": block_id, "label": _text(label), "element": element}
    return {**made, "optional": True} if optional else made


def option(value: str, words: str) -> JsonObject:
    """Return one option of a select."""
    return {"text": _text(plain(words, OPTION_CHARS)), "value": value}


def _text(words: str) -> JsonObject:
    return {"type": "plain_text", "text": words}
