"""A message as a whole: its blocks, its attachments and the length of all its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localslack.errors import SlackError, invalid_blocks
from localslack.limits.blocks import MAX_MARKDOWN, check_blocks
from localslack.limits.faults import PayloadFaults

MAX_BLOCKS = 50
MAX_ATTACHMENTS = 100
MAX_BLOCK_TEXT = 12_000
"""Not documented by Slack; about where it starts to answer ``msg_blocks_too_long``."""
MAX_CHARTS = 2


def check_message(blocks: list[Any], attachments: list[Any]) -> None:
    """Refuse what Slack refuses of a message's blocks and attachments.

    Raises:
        SlackError: ``invalid_blocks``, ``invalid_attachments``, ``msg_blocks_too_long`` or
            ``too_many_attachments``; the first two list every fault.
    """
    faults = PayloadFaults()
    check_blocks(faults, blocks, surface="message", most=MAX_BLOCKS)
    _together(faults, blocks)
    if faults.messages:
        raise invalid_blocks(faults.messages)
    if sum(len(text) for text in texts_of(blocks)) > MAX_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        at = f"/attachments/{index}"
        if faults.mapping(attachment, at) and attachment.get("blocks") is not None:
            check_blocks(faults, attachment["blocks"], surface="message", most=MAX_BLOCKS, at=f"{at}/blocks")
    if faults.messages:
        raise invalid_blocks(faults.messages, code="invalid_attachments")


def _together(faults: PayloadFaults, blocks: list[Any]) -> None:
    objects = [b for b in blocks if isinstance(b, dict)]
    kinds = [b.get("type") for b in objects]
    if kinds.count("data_visualization") > MAX_CHARTS:
        faults.add(f"no more than {MAX_CHARTS} data_visualization blocks allowed", "/blocks")
    if kinds.count("table") > 1:
        faults.add("only_one_table_allowed", "/blocks")
    written = sum(len(str(b.get("text", ""))) for b in objects if b.get("type") == "markdown")
    if written > MAX_MARKDOWN:
        faults.add(f"must be less than {MAX_MARKDOWN + 1} characters in all markdown blocks", "/blocks")


def texts_of(value: Any) -> Iterator[str]:  # noqa: ANN401  # walks any JSON
    """Yield every string that a reader sees under a ``text`` or ``title`` key."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"text", "title"} and isinstance(item, str):
                yield item
            else:
                yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
