"""The rich_text block and the elements inside it."""

from __future__ import annotations

from typing import Any

from localslack.limits.faults import PayloadFaults, is_one_of
from localslack.shapes import Json

_NEEDS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "link": ("url",),
    "emoji": ("name",),
    "user": ("user_id",),
    "usergroup": ("usergroup_id",),
    "channel": ("channel_id",),
    "team": ("team_id",),
    "broadcast": ("range",),
    "color": ("value",),
    "date": ("timestamp", "format"),
}


_PARTS = frozenset({"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"})


def rich_text(faults: PayloadFaults, block: Json, at: str) -> None:
    """A rich_text block: sections, lists, quotes and preformatted parts."""
    faults.keys(block, at, required=("elements",))
    for index, part in enumerate(faults.items(block, "elements", at, most=1000)):
        _part(faults, part, f"{at}/elements/{index}")


def _part(faults: PayloadFaults, part: Any, at: str) -> None:  # noqa: ANN401  # whatever was sent
    if not faults.mapping(part, at):
        return
    kind = part.get("type")
    if not is_one_of(kind, _PARTS):
        faults.add(f"unsupported type: {kind}", f"{at}/type")
        return
    faults.keys(part, at, required=("elements",))
    items = faults.items(part, "elements", at, most=1000)
    if kind == "rich_text_list":
        faults.keys(part, at, required=("style",))
        faults.choice(part, "style", at, ("bullet", "ordered"))
        faults.number(part, "indent", at, least=0, most=8)
        for index, item in enumerate(items):
            _list_item(faults, item, f"{at}/elements/{index}")
        return
    faults.number(part, "border", at, least=0, most=1)
    faults.each(items, f"{at}/elements", _leaf)


def _list_item(faults: PayloadFaults, item: Any, at: str) -> None:  # noqa: ANN401  # whatever was sent
    if not faults.mapping(item, at):
        return
    if item.get("type") != "rich_text_section":
        faults.add(f"unsupported type: {item.get('type')}", f"{at}/type")
        return
    faults.each(faults.items(item, "elements", at, most=1000), f"{at}/elements", _leaf)


def _leaf(faults: PayloadFaults, item: Json, at: str) -> None:
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in _NEEDS:
        faults.add(f"unsupported type: {kind}", f"{at}/type")
        return
    faults.keys(item, at, required=_NEEDS[kind])
    if kind == "text" and item.get("text") == "":
        faults.add("must be more than 0 characters", f"{at}/text")
    if kind == "broadcast":
        faults.choice(item, "range", at, ("here", "channel", "everyone"))
