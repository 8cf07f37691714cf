"""Text as people type it, as Slack stores it, and as a reader without colours sees it."""

from __future__ import annotations

import html
import re
from typing import Any

from localslack.shapes import Json
from localslack.store import File, StoredMessage, WorkspaceStore

_ANGLE = re.compile(r"<((?:[@#!][A-Za-z0-9]|[a-z][a-z0-9+.-]*:)[^<>]*)>")
_TYPED = re.compile(r"(?<![\w<|])([@#])([a-z0-9][a-z0-9._-]*)")
_LINK = re.compile(r"(?<![<|\w])https?://[^\s<>|]+")
_WORDS = ("here", "channel", "everyone")
_ICONS = {"pending": "○", "in_progress": "◔", "complete": "✓", "error": "✗"}


def escape(text: str) -> str:
    """Return the text with the three characters escaped that Slack escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def composed(raw: str, store: WorkspaceStore) -> str:
    """Return what Slack stores for the typed ``raw``: mentions and links become ``<…>``, the rest is escaped.

    ``<@U…>`` and the like, already in that form, are kept.
    """
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group(0))
        return f"\0{len(kept) - 1}\0"

    text = re.sub(r"<(?:[@#!][A-Z0-9a-z^]+[^<>]*|https?://[^<>]+)>", keep, raw)
    text = escape(text)
    text = _LINK.sub(lambda m: f"<{m.group(0)}>", text)
    text = _TYPED.sub(lambda m: _mention(m, store, labelled=False), text)
    return re.sub(r"\0(\d+)\0", lambda m: kept[int(m.group(1))], text)


def escaped_command(raw: str, store: WorkspaceStore) -> str:
    """Return the text of a slash command whose manifest sets ``should_escape``: ids with their names."""
    return _TYPED.sub(lambda m: _mention(m, store, labelled=True), raw)


def _mention(match: re.Match[str], store: WorkspaceStore, *, labelled: bool) -> str:
    sign, name = match.group(1), match.group(2)
    stem = name.rstrip(".-_")
    tail = name[len(stem) :]
    if sign == "#":
        channel = next((c for c in store.channels.values() if c.name == stem), None)
        return f"<#{channel.id}|{stem}>{tail}" if channel else match.group(0)
    if stem in _WORDS:
        return f"<!{stem}>{tail}"
    user = next((u for u in store.users.values() if u.name == stem), None)
    if user is not None:
        return f"<@{user.id}|{stem}>{tail}" if labelled else f"<@{user.id}>{tail}"
    group = next((g for g in store.usergroups.values() if g.handle == stem), None)
    return f"<!subteam^{group.id}|@{stem}>{tail}" if group else match.group(0)


def plain(mrkdwn: str, store: WorkspaceStore) -> str:
    """Return stored text for a reader: names instead of ids, labels instead of links."""
    return html.unescape(_ANGLE.sub(lambda m: _readable(m.group(1), store), mrkdwn))


def _readable(inner: str, store: WorkspaceStore) -> str:
    target, _, label = inner.partition("|")
    match target[:1]:
        case "@":
            user = store.users.get(target[1:])
            return f"@{user.name if user else label or target[1:]}"
        case "#":
            channel = store.channels.get(target[1:])
            return f"#{channel.name if channel else label or target[1:]}"
        case "!":
            return _special(target[1:], label, store)
        case _:
            return f"{label} ({target})" if label and label != target else target


def _special(target: str, label: str, store: WorkspaceStore) -> str:
    if target.startswith("subteam^"):
        group = store.usergroups.get(target.removeprefix("subteam^"))
        return f"@{group.handle}" if group else label
    if target.startswith("date^"):
        return label
    return f"@{target}"


def reading(message: StoredMessage, store: WorkspaceStore) -> str:
    """Return a message as read: its blocks, or its text when it has none, then attachments and files."""
    lines = [block_text(b, store) for b in message.blocks] or [plain(message.text, store)]
    for attachment in message.attachments:
        lines += [block_text(b, store) for b in attachment.get("blocks") or []]
        lines += [plain(str(attachment[k]), store) for k in ("pretext", "title", "text") if attachment.get(k)]
        if not any(lines) and attachment.get("fallback"):
            lines.append(str(attachment["fallback"]))
    lines += [f"[file: {_file_name(store.files.get(f))}]" for f in message.files]
    return "\n".join(line for line in lines if line)


def searchable(message: StoredMessage, store: WorkspaceStore) -> str:
    """Return everything that a pattern can match: the text and the reading of the blocks."""
    return "\n".join(dict.fromkeys((plain(message.text, store), reading(message, store))))


def _file_name(file: File | None) -> str:
    return file.name if file else "gone"


def block_text(block: Json, store: WorkspaceStore) -> str:
    """Return one block as lines of plain text; buttons and menus in square brackets."""
    match block.get("type"):
        case "divider":
            return "────────"
        case "plan":
            tasks = [_task(t, store) for t in block.get("tasks") or []]
            return "\n".join([str(block.get("title", "")), *tasks])
        case "task_card":
            return _task(block, store)
        case "table" | "data_table":
            rows = block.get("rows") or []
            return "\n".join(" | ".join(_text(cell, store) for cell in row) for row in rows)
        case "image" | "video":
            return f"[image: {block.get('alt_text', '')}]"
        case "context":
            return "  ".join(_text(e, store) for e in block.get("elements") or [])
        case "rich_text":
            return "\n".join(_rich_part(part, store) for part in block.get("elements") or [])
        case _:
            return _parts(block, store)


_SHOWN = ("title", "subtitle", "label", "text", "body", "fields", "hint", "subtext", "accessory", "element",
          "elements", "actions", "child_blocks", "chart")  # fmt: skip


def _parts(block: Json, store: WorkspaceStore) -> str:
    found: list[str] = []
    for key in _SHOWN:
        value = block.get(key)
        if isinstance(value, list) and block.get("type") in {"actions", "context_actions"}:
            found.append(" ".join(_text(item, store) for item in value))
        elif isinstance(value, list):
            found += [_text(item, store) for item in value]
        elif value is not None:
            found.append(_text(value, store))
    return "\n".join(item for item in found if item)


def _text(value: Any, store: WorkspaceStore) -> str:  # noqa: ANN401  # walks any JSON
    if isinstance(value, str):
        return plain(value, store)
    if not isinstance(value, dict):
        return ""
    match value.get("type"):
        case "plain_text":
            return str(value.get("text", ""))
        case "mrkdwn" | "raw_text":
            return plain(str(value.get("text", "")), store)
        case "raw_number":
            return str(value.get("text", value.get("value", "")))
        case "image":
            return f"[image: {value.get('alt_text', '')}]"
        case "button" | "workflow_button" | "icon_button":
            return f"[{_text(value.get('text'), store)}]"
        case "feedback_buttons":
            return " ".join(
                f"[{_text(value[k].get('text'), store)}]" for k in ("positive_button", "negative_button")
            )
        case kind if isinstance(kind, str) and kind.endswith(("_select", "picker", "_input")):
            return f"[{_text(value.get('placeholder'), store) or kind}]"
        case _:
            return block_text(value, store)


def _task(task: Json, store: WorkspaceStore) -> str:
    head = f"{_ICONS.get(str(task.get('status')), '·')} {task.get('title', '')}"
    more = [block_text(task[k], store) for k in ("details", "output") if isinstance(task.get(k), dict)]
    return "\n".join([head, *(f"  {line}" for part in more for line in part.splitlines())])


def _rich_part(part: Json, store: WorkspaceStore) -> str:
    items = part.get("elements") or []
    match part.get("type"):
        case "rich_text_list":
            ordered = part.get("style") == "ordered"
            return "\n".join(
                f"{f'{i}.' if ordered else '•'} {_rich_part(item, store)}" for i, item in enumerate(items, 1)
            )
        case "rich_text_quote":
            return "> " + "".join(_leaf(i, store) for i in items).replace("\n", "\n> ")
        case _:
            return "".join(_leaf(i, store) for i in items)


def _leaf(item: Json, store: WorkspaceStore) -> str:
    match item.get("type"):
        case "user":
            return _readable(f"@{item.get('user_id')}", store)
        case "channel":
            return _readable(f"#{item.get('channel_id')}", store)
        case "usergroup":
            return _special(f"subteam^{item.get('usergroup_id')}", "", store)
        case "emoji":
            return f":{item.get('name')}:"
        case "broadcast":
            return f"@{item.get('range')}"
        case "link":
            return str(item.get("text") or item.get("url"))
        case "date":
            return str(item.get("fallback", item.get("timestamp")))
        case _:
            return str(item.get("text", ""))
