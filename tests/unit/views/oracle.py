"""Validators for rendered views: an independent library, the local Slack's rules, and our own rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import slackblocks as sb

from bot.domain.board import DesiredMessage
from bot.domain.model import JsonObject
from localslack.limits import check_message, check_view

_TOKEN = re.compile(
    r"<!date\^\d+\^\{(time|date_short_pretty\} \{time)\}\|[\d:\- ]+UTC>"
    r"|<!subteam\^S[A-Z0-9]+>|<@[UW][A-Z0-9]+>|<#[CGD][A-Z0-9]+>|<https?://[^<>|\s]+\|[^<>|]*>"
)
_ENTITY = re.compile(r"&(amp|lt|gt);")


def assert_valid_message(message: DesiredMessage) -> None:
    """Assert that it is valid for Slack, within the limits, and that no outside text can ping or break out."""
    sb.Message(channel="C1", text=message.text, blocks=[_block(block) for block in message.blocks])
    check_message(list(message.blocks), [])
    assert 0 < len(message.text) <= 4000
    assert 0 < len(message.blocks) <= 50
    assert sum(len(text) for block in message.blocks for text in _texts(block)) <= 9000
    assert_harmless(message.text)
    assert_blocks_harmless(message.blocks)


def assert_valid_view(view: JsonObject) -> None:
    """Assert that it is a valid modal or Home tab."""
    blocks = [_block(block) for block in view["blocks"]]
    check_view(view, kind=view["type"])
    if view["type"] == "home":
        sb.HomeTabView(blocks=blocks)
    else:
        sb.ModalView(
            title=_text(view["title"]),
            blocks=blocks,
            submit=_text(view["submit"]) if "submit" in view else None,
            close=_text(view["close"]),
            private_metadata=view["private_metadata"],
            callback_id=view["callback_id"],
        )
    assert_blocks_harmless(view["blocks"])


def assert_blocks_harmless(blocks: Sequence[Any]) -> None:
    for block in blocks:
        for text in _texts(block, kind="mrkdwn"):
            assert_harmless(text)
        assert not any("<!" in text for text in _texts(block, kind="plain_text"))


def assert_harmless(text: str) -> None:
    """Assert that only our own tokens mention, link or date, and that code spans and entities are whole."""
    bare = _TOKEN.sub("", text)
    assert "<" not in bare, bare[max(0, bare.index("<") - 30) :][:80]
    assert ">" not in bare
    assert "&" not in _ENTITY.sub("", bare)
    assert "```" not in bare
    assert all(line.count("`") % 2 == 0 for line in bare.split("\n"))


def _texts(value: Any, *, kind: str = "") -> list[str]:
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item, kind=kind)]
    if not isinstance(value, dict):
        return []
    own = value.get("text")
    mine = [own] if isinstance(own, str) and (not kind or value.get("type") == kind) else []
    titles = [value["title"]] if isinstance(value.get("title"), str) and kind != "mrkdwn" else []
    return mine + titles + [text for item in value.values() for text in _texts(item, kind=kind)]


def _block(block: Any) -> sb.Block:
    match block["type"]:
        case "actions":
            return sb.ActionsBlock([_element(item) for item in block["elements"]])
        case "input":
            return sb.InputBlock(
                label=_text(block["label"]), element=_element(block["element"]), block_id=block["block_id"]
            )
        case "plan":
            return sb.PlanBlock(title=block["title"], tasks=[_task(task) for task in block["tasks"]])
        case _:
            return sb.Block.from_dict(block)


def _task(task: Any) -> sb.TaskCardBlock:
    assert set(task) <= {"task_id", "title", "status", "details"}
    details = None
    if "details" in task:
        [part] = task["details"]["elements"]
        texts = [sb.RichText(item["text"]) for item in part["elements"]]
        details = sb.RichTextBlock([sb.RichTextSection(texts)])
    return sb.TaskCardBlock(
        task_id=task["task_id"], title=task["title"], status=task["status"], details=details
    )


def _element(item: Any) -> Any:
    if item["type"] == "button":
        confirm = sb.ConfirmationDialogue.from_dict(item["confirm"]) if "confirm" in item else None
        return sb.Button(
            text=_text(item["text"]),
            action_id=item["action_id"],
            value=item["value"],
            style=item.get("style"),
            confirm=confirm,
        )
    if item["type"] == "plain_text_input":
        return sb.PlainTextInput(
            action_id=item["action_id"], multiline=item["multiline"], max_length=item["max_length"]
        )
    assert item["type"] == "static_select"
    groups = [sb.OptionGroup.from_dict(group) for group in item.get("option_groups", [])]
    options = [sb.Option.from_dict(option) for option in item.get("options", [])]
    known = [*item.get("options", []), *(o for g in item.get("option_groups", []) for o in g["options"])]
    assert "initial_option" not in item or item["initial_option"] in known
    return sb.StaticSelectMenu(
        action_id=item["action_id"],
        options=options or None,
        option_groups=groups or None,
        placeholder=_text(item["placeholder"]) if "placeholder" in item else None,
    )


def _text(raw: Any) -> sb.Text:
    return sb.Text.from_dict(raw)
