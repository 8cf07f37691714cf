"""Blocks and views to try limits and rules on: the least of each kind, and room for one thing more."""

from __future__ import annotations

from typing import Any

from localslack.shapes import Json


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str = "v", text: str = "t", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def confirm(**more: Any) -> list[Json]:
    spec = {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n"), **more}
    return actions(button(confirm=spec))


def select(**more: Any) -> list[Json]:
    return actions({"type": "static_select", "action_id": "a", "options": [option()], **more})


def table(rows: int, columns: int, **more: Any) -> list[Json]:
    cell = {"type": "raw_text", "text": "x"}
    return [{"type": "table", "rows": [[cell] * columns] * rows, **more}]


def plan(tasks: int) -> list[Json]:
    return [
        {
            "type": "plan",
            "title": "t",
            "tasks": [{"task_id": f"t{i}", "title": "x", "status": "pending"} for i in range(tasks)],
        }
    ]


def card(**more: Any) -> list[Json]:
    return [{"type": "card", "title": plain("t"), **more}]


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("t"), "submit": plain("Go"), "blocks": [], **more}


def field(element: Json, **more: Any) -> Json:
    return modal(blocks=[{"type": "input", "label": plain("l"), "element": element, **more}])


SAMPLES: dict[str, Json] = {
    "actions": actions(button())[0],
    "alert": {"type": "alert", "text": plain("x")},
    "card": card()[0],
    "carousel": {"type": "carousel", "elements": card()},
    "container": {"type": "container", "child_blocks": [{"type": "divider"}]},
    "context": {"type": "context", "elements": [mrkdwn("x")]},
    "context_actions": {
        "type": "context_actions",
        "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}],
    },
    "data_table": {
        "type": "data_table",
        "caption": "c",
        "rows": [[{"type": "raw_text", "text": "h"}], [{"type": "raw_text", "text": "v"}]],
    },
    "data_visualization": {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
    },
    "divider": {"type": "divider"},
    "file": {"type": "file", "external_id": "x", "source": "remote"},
    "header": {"type": "header", "text": plain("x")},
    "image": {"type": "image", "image_url": "https://e.example/i.png", "alt_text": "x"},
    "input": {"type": "input", "label": plain("l"), "element": {"type": "plain_text_input"}},
    "markdown": {"type": "markdown", "text": "x"},
    "plan": plan(1)[0],
    "rich_text": {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
    },
    "section": {"type": "section", "text": mrkdwn("x")},
    "table": table(1, 1)[0],
    "task_card": {"type": "task_card", "task_id": "t", "title": "x", "status": "complete"},
    "video": {
        "type": "video",
        "alt_text": "x",
        "title": plain("t"),
        "thumbnail_url": "https://e.example/t",
        "video_url": "https://e.example/v",
    },
}
