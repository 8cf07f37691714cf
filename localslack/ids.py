"""Ids and timestamps that look like Slack's, and the ids that Slack fills in where an app set none."""

from __future__ import annotations

import copy
import secrets
import string
from collections.abc import Iterator
from typing import Any

from localslack.clock import WorkspaceClock
from localslack.shapes import Blocks, Json

_ALPHABET = string.ascii_uppercase + string.digits
_MICRO = 1_000_000


def new_id(prefix: str, *, length: int = 11) -> str:
    """Return a random id such as ``V0A1B2C3D4E``."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length - len(prefix)))


def new_block_id() -> str:
    """Return a random five-letter block or action id, as Slack makes them."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))


class Timestamps:
    """Message timestamps: seconds with six decimals, each later than the one before."""

    def __init__(self, clock: WorkspaceClock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """Return a new timestamp."""
        self._last = max(self._last + 1, int(self._clock.now() * _MICRO))
        return f"{self._last // _MICRO}.{self._last % _MICRO:06d}"

    def go_on_after(self, ts: str) -> None:
        """Let each new timestamp be later than ``ts``."""
        seconds, _, micro = ts.partition(".")
        self._last = max(self._last, int(seconds) * _MICRO + int(micro))


def filled(blocks: Blocks) -> Blocks:
    """Return a copy of ``blocks`` with block ids, action ids and text defaults, as Slack stores them."""
    made = copy.deepcopy(blocks)
    for block in made:
        if not block.get("block_id"):
            block["block_id"] = new_block_id()
        _fill(block)
    return made


def _fill(value: Any) -> None:  # noqa: ANN401  # walks any JSON
    if isinstance(value, list):
        for item in value:
            _fill(item)
    elif isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        elif is_element(value) and not value.get("action_id"):
            value["action_id"] = new_block_id()
        for item in value.values():
            _fill(item)


_ELEMENTS = frozenset(
    {
        "button",
        "overflow",
        "checkboxes",
        "radio_buttons",
        "datepicker",
        "timepicker",
        "datetimepicker",
        "feedback_buttons",
        "icon_button",
        "workflow_button",
        "file_input",
    }
)


def is_element(value: Json) -> bool:
    """Return whether a piece of a block is something a person acts on."""
    kind = value.get("type")
    return isinstance(kind, str) and (kind in _ELEMENTS or kind.endswith(("_select", "_input")))


def elements_of(blocks: Blocks) -> Iterator[tuple[Json, Json]]:
    """Yield every ``(block, element)`` a person can act on, in reading order, containers and cards too."""
    for block in blocks:
        for element in _inside(block):
            yield block, element


def _inside(value: Any) -> Iterator[Json]:  # noqa: ANN401  # walks any JSON
    if isinstance(value, list):
        for item in value:
            yield from _inside(item)
    elif isinstance(value, dict):
        if is_element(value):
            yield value
            return
        for item in value.values():
            yield from _inside(item)
