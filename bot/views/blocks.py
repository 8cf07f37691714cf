"""The Block Kit blocks that the views use, and messages that stay within Slack's limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.domain.board import DesiredMessage
from bot.domain.model import JsonObject, JsonValue
from bot.views.limits import (
    BUTTON_CHARS,
    CONFIRM_TEXT_CHARS,
    CONFIRM_TITLE_CHARS,
    CONTEXT_CHARS,
    HEADER_CHARS,
    MESSAGE_BLOCKS,
    MESSAGE_CHARS,
    SECTION_CHARS,
    TEXT_CHARS,
    clean,
    clip,
    cut_lines,
    escape,
    plain,
)

_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)>")
_BOLD = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])")
_FEW = 12
_TEXTUAL = frozenset({"section", "context"})
_LEAST = 200
_NOTE = "Shortened: the rest does not fit into one message."


def header(text: str) -> JsonObject:
    """Return a header of plain text."""
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": plain(text, HEADER_CHARS), "emoji": True},
    }


def section(*lines: str) -> JsonObject:
    """Return a section of mrkdwn lines; empty lines are left out."""
    text = cut_lines("\n".join(line for line in lines if line), SECTION_CHARS)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, "expand": True}


def stack(paragraphs: Sequence[str]) -> list[JsonObject]:
    """Return sections: one for each paragraph while there are few, packed when there are many."""
    if len(paragraphs) <= _FEW:
        return [section(text) for text in paragraphs if text]
    packed: list[str] = []
    for text in paragraphs:
        if packed and len(packed[-1]) + len(text) < SECTION_CHARS:
            packed[-1] += "\n" + text
        else:
            packed.append(text)
    return [section(text) for text in packed if text]


def context(*parts: str) -> JsonObject:
    """Return a line of small print."""
    text = cut_lines(" · ".join(part for part in parts if part), CONTEXT_CHARS)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def actions(*buttons: JsonObject) -> JsonObject:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def button(
    label: str,
    *,
    action_id: str,
    value: str,
    style: str = "",
    confirm: JsonObject | None = None,
    url: str = "",
) -> JsonObject:
    """Return a button; ``value`` is an opaque id, never cut.  With ``url`` it opens that address."""
    made: JsonObject = {
        "type": "button",
        "text": {"type": "plain_text", "text": plain(label, BUTTON_CHARS), "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    if url:
        made["url"] = url
    if confirm is not None:
        made["confirm"] = confirm
    return made


def confirmation(
    title: str, text: str, *, yes: str, no: str = "Not yet", style: str = "primary"
) -> JsonObject:
    """Return the confirmation dialog that is shown before a click counts."""
    return {
        "title": {"type": "plain_text", "text": plain(title, CONFIRM_TITLE_CHARS)},
        "text": {"type": "plain_text", "text": plain(text, CONFIRM_TEXT_CHARS)},
        "confirm": {"type": "plain_text", "text": yes},
        "deny": {"type": "plain_text", "text": no},
        "style": style,
    }


def message(
    slot: str, blocks: Sequence[JsonObject], *, names: Mapping[str, str], urgent: bool = False
) -> DesiredMessage:
    """Return a message within every limit, with its fallback text; ``names`` maps people's ids to names."""
    fitted = fit(blocks)
    text = cut_lines(flatten(fitted, names=names), TEXT_CHARS)
    return DesiredMessage(slot=slot, text=text, blocks=tuple(fitted), urgent=urgent)


def fit(
    blocks: Sequence[JsonObject], *, chars: int = MESSAGE_CHARS, count: int = MESSAGE_BLOCKS
) -> list[JsonObject]:
    """Return blocks without empty ones, later sections shortened to fit; buttons and small print stay."""
    blocks = [block for block in blocks if _weight(block) or block["type"] not in _TEXTUAL]
    room = chars - sum(_weight(block) for block in blocks if block["type"] != "section")
    spare = count - sum(block["type"] != "section" for block in blocks)
    sections = [block for block in blocks if block["type"] == "section"]
    if sum(map(_weight, sections)) <= room and len(sections) <= spare:
        return list(blocks)
    room, spare = room - len(_NOTE), spare - 1
    fitted: list[JsonObject] = []
    for block in blocks:
        if block["type"] != "section":
            fitted.append(block)
        elif spare > 0 and room >= min(_LEAST, _weight(block)):
            shorter = _shorter(block, room)
            fitted.append(shorter)
            room, spare = room - _weight(shorter), spare - 1
    last = next((i for i, block in enumerate(fitted) if block["type"] == "actions"), len(fitted))
    return [*fitted[:last], context(_NOTE), *fitted[last:]]


def flatten(
    blocks: Sequence[JsonObject], *, names: Mapping[str, str], urls: bool = False, buttons: bool = False
) -> str:
    """Return blocks as escaped text without markup, as a screen reader or a terminal shows it.

    ``names`` maps ids to names; a user group that is not in it stays a mention, so that it notifies.
    """
    lines = [line for block in blocks for line in _lines(block, buttons=buttons)]
    return _unmarked("\n".join(lines), names=names, urls=urls)


def _unmarked(text: str, *, names: Mapping[str, str], urls: bool) -> str:
    text = _DATE.sub(r"\1", text)
    text = _LINK.sub(r"\2 (\1)" if urls else r"\2", text)
    text = _MENTION.sub(lambda found: _literal(clip(clean(names.get(found[1], found[1])), 80)), text)
    text = _GROUP.sub(lambda found: f"@{_literal(names[found[1]])}" if found[1] in names else found[0], text)
    return _BOLD.sub(r"\1", text)


def _lines(block: JsonObject, *, buttons: bool) -> list[str]:
    match block:
        case {"type": "header" | "section", "text": {"text": str(text), "type": str(kind)}}:
            return [_literal(text) if kind == "plain_text" else text]
        case {"type": "context", "elements": list(elements)}:
            return [str(item["text"]) for item in elements if isinstance(item, dict)]
        case {"type": "plan", "tasks": list(tasks)}:
            return [_task_line(task) for task in tasks if isinstance(task, dict)]
        case {"type": "actions", "elements": list(elements)} if buttons:
            return ["  ".join(f"[{_label(item)}]" for item in elements)]
        case _:
            return []


def _task_line(task: JsonObject) -> str:
    marks = {"complete": "✅", "in_progress": "⏳", "error": "❌"}
    note = " ".join(_strings(task.get("details")))
    line = f"{marks.get(str(task['status']), '▫️')} {task['title']}" + (f": {note}" if note else "")
    return _literal(line)


def _literal(text: str) -> str:
    """Return plain text, escaped for mrkdwn."""
    return escape(text).replace("`", "'")


def _label(item: JsonValue) -> str:
    return _literal(" ".join(_strings(item)[:1]))


def _strings(value: JsonValue) -> list[str]:
    """Return every text within a block, in order."""
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    for key, item in value.items():
        found += [item] if key in {"text", "title"} and isinstance(item, str) else _strings(item)
    return found


def _weight(block: JsonObject) -> int:
    return sum(map(len, _strings(block)))


def _shorter(block: JsonObject, room: int) -> JsonObject:
    text = block["text"]
    if not isinstance(text, dict) or _weight(block) <= room:
        return block
    return {**block, "text": {**text, "text": cut_lines(str(text["text"]), room)}}
