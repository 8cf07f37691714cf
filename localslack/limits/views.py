"""Modals and Home tabs."""

from __future__ import annotations

import json

from localslack.errors import SlackError, invalid_blocks
from localslack.limits.blocks import check_blocks
from localslack.limits.faults import MAX_ID, PLAIN, PayloadFaults
from localslack.limits.surfaces import Surface
from localslack.shapes import Json

MAX_BLOCKS = 100
MAX_TITLE = 24
MAX_METADATA = 3000
MAX_BYTES = 250_000


def check_view(view: Json, *, kind: Surface) -> None:
    """Refuse what Slack refuses of a view.

    Raises:
        SlackError: ``invalid_arguments`` with every fault, or ``view_too_large``.
    """
    if len(json.dumps(view)) > MAX_BYTES:
        raise SlackError("view_too_large")
    faults = PayloadFaults()
    if view.get("type") != kind:
        faults.add(f"must be a {kind} view", "/view/type")
    faults.keys(view, "/view", required=("blocks",))
    if kind == "modal":
        faults.keys(view, "/view", required=("title",))
        for key in ("title", "submit", "close"):
            faults.text(view, key, "/view", most=MAX_TITLE, kinds=PLAIN)
    faults.string(view, "private_metadata", "/view", most=MAX_METADATA)
    faults.string(view, "callback_id", "/view", most=MAX_ID)
    faults.string(view, "external_id", "/view", most=MAX_ID)
    blocks = view.get("blocks")
    if blocks is not None:
        check_blocks(faults, blocks, surface=kind, most=MAX_BLOCKS, at="/view/blocks")
        asks = any(
            isinstance(b, dict) and b.get("type") == "input" for b in blocks if isinstance(blocks, list)
        )
        if kind == "modal" and asks and view.get("submit") is None:
            faults.add("missing required field: submit, when blocks hold an input", "/view")
    if faults.messages:
        raise invalid_blocks(faults.messages, code="invalid_arguments")
