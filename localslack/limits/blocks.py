"""Blocks: what each type needs, how long it may be, and the ids that must be unique."""

from __future__ import annotations

from typing import Any

from localslack.limits.elements import (
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    element,
    image_element,
)
from localslack.limits.faults import MAX_ID, PLAIN, PayloadFaults, Rule
from localslack.limits.newer import NEWER_RULES
from localslack.limits.rich import rich_text
from localslack.limits.surfaces import SURFACES, Surface
from localslack.shapes import Json

MAX_SECTION = 3000
MAX_FIELD = 2000
MAX_HEADER = 150
MAX_MARKDOWN = 12_000


def check_blocks(
    faults: PayloadFaults,
    blocks: Any,  # noqa: ANN401
    *,
    surface: Surface,
    most: int,
    at: str = "/blocks",
) -> None:
    """Check a list of blocks for a surface; adds to ``faults``."""
    if not isinstance(blocks, list):
        faults.add("must provide an array", at)
        return
    if len(blocks) > most:
        faults.add(f"no more than {most} items allowed", at)
    for index, block in enumerate(blocks):
        check_block(faults, block, f"{at}/{index}", surface=surface)
    faults.unique(blocks, "block_id", at)


def check_block(faults: PayloadFaults, block: Any, at: str, *, surface: Surface) -> None:  # noqa: ANN401
    """Check one block: known, allowed on the surface, within its limits."""
    if not faults.mapping(block, at):
        return
    kind = block.get("type")
    rule = RULES.get(kind) if isinstance(kind, str) else None
    if rule is None:
        faults.add(f"unsupported type: {kind}", f"{at}/type")
        return
    if kind not in SURFACES[surface]:
        faults.add(f"unsupported type: {kind} is not allowed in a {surface}", f"{at}/type")
        return
    faults.string(block, "block_id", at, most=MAX_ID)
    rule(faults, block, at)
    if kind == "container":
        children = block.get("child_blocks")
        for index, child in enumerate(children if isinstance(children, list) else []):
            check_block(faults, child, f"{at}/child_blocks/{index}", surface=surface)


def _section(faults: PayloadFaults, block: Json, at: str) -> None:
    if block.get("text") is None and block.get("fields") is None:
        faults.add("missing required field: text or fields", at)
    faults.text(block, "text", at, most=MAX_SECTION)
    for index, field in enumerate(faults.items(block, "fields", at, least=1, most=10)):
        faults.text_object(field, f"{at}/fields/{index}", most=MAX_FIELD)
    if block.get("accessory") is not None:
        element(faults, block["accessory"], f"{at}/accessory", allowed=IN_SECTION)


def _header(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("text",))
    faults.text(block, "text", at, most=MAX_HEADER, kinds=PLAIN)


def _divider(_faults: PayloadFaults, _block: Json, _at: str) -> None:
    return


def _context(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("elements",))
    for index, item in enumerate(faults.items(block, "elements", at, least=1, most=10)):
        where = f"{at}/elements/{index}"
        if isinstance(item, dict) and item.get("type") == "image":
            image_element(faults, item, where)
        else:
            faults.text_object(item, where, most=MAX_SECTION)


def _actions(faults: PayloadFaults, block: Json, at: str) -> None:
    _elements(faults, block, at, most=25, allowed=IN_ACTIONS)


def _context_actions(faults: PayloadFaults, block: Json, at: str) -> None:
    _elements(faults, block, at, most=5, allowed=IN_CONTEXT_ACTIONS)


def _elements(faults: PayloadFaults, block: Json, at: str, *, most: int, allowed: frozenset[str]) -> None:
    faults.keys(block, at, required=("elements",))
    items = faults.items(block, "elements", at, least=1, most=most)
    for index, item in enumerate(items):
        element(faults, item, f"{at}/elements/{index}", allowed=allowed)
    faults.unique(items, "action_id", f"{at}/elements")


def _image(faults: PayloadFaults, block: Json, at: str) -> None:
    image_element(faults, block, at)
    faults.text(block, "title", at, most=2000, kinds=PLAIN)


def _input(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("label", "element"))
    faults.text(block, "label", at, most=2000, kinds=PLAIN)
    faults.text(block, "hint", at, most=2000, kinds=PLAIN)
    if block.get("element") is not None:
        element(faults, block["element"], f"{at}/element", allowed=IN_INPUT)


def _markdown(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("text",))
    faults.string(block, "text", at, most=MAX_MARKDOWN, least=1)


def _video(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("alt_text", "title", "thumbnail_url", "video_url"))
    faults.string(block, "alt_text", at, most=2000)
    faults.text(block, "title", at, most=200, kinds=PLAIN)
    faults.text(block, "description", at, most=200, kinds=PLAIN)
    for key, most in (("author_name", 50), ("provider_name", 50)):
        faults.string(block, key, at, most=most)
    for key in ("thumbnail_url", "video_url", "title_url", "provider_icon_url"):
        faults.url(block, key, at)


def _file(faults: PayloadFaults, block: Json, at: str) -> None:
    faults.keys(block, at, required=("external_id", "source"))
    faults.choice(block, "source", at, ("remote",))


RULES: dict[str, Rule] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": rich_text,
    "video": _video,
    "file": _file,
    **NEWER_RULES,
}
