"""The blocks Slack added last: tables, plans, task cards, cards, charts, alerts."""

from __future__ import annotations

from typing import Any

from localslack.limits.elements import element, image_element
from localslack.limits.faults import MAX_ID, PLAIN, PayloadFaults, Rule
from localslack.limits.rich import rich_text
from localslack.shapes import Json

STATUSES = ("pending", "in_progress", "complete", "error")
MAX_TABLE_TEXT = 10_000
MAX_DATA_TABLE_TEXT = 20_000


def plan(faults: PayloadFaults, block: Json, at: str) -> None:
    """A plan: a title and up to 50 task cards; only here may a task be pending."""
    faults.keys(block, at, required=("title", "tasks"))
    faults.string(block, "title", at, most=MAX_ID, least=1)
    tasks = faults.items(block, "tasks", at, most=50)
    faults.each(tasks, f"{at}/tasks", _task)
    faults.unique(tasks, "task_id", f"{at}/tasks")


def task_card(faults: PayloadFaults, block: Json, at: str) -> None:
    """A task card on its own: never pending."""
    _task(faults, block, at)
    if block.get("status") == "pending":
        faults.add("a task card outside a plan cannot be pending", f"{at}/status")


def _task(faults: PayloadFaults, task: Json, at: str) -> None:
    faults.keys(task, at, required=("task_id", "title", "status"))
    faults.string(task, "task_id", at, most=MAX_ID, least=1)
    faults.string(task, "title", at, most=MAX_ID, least=1)
    faults.choice(task, "status", at, STATUSES)
    for key in ("details", "output"):
        value = task.get(key)
        if value is None or not faults.mapping(value, f"{at}/{key}"):
            continue
        if value.get("type") == "rich_text":
            rich_text(faults, value, f"{at}/{key}")
        else:
            faults.add(f"unsupported type: {value.get('type')}", f"{at}/{key}/type")
    faults.each(faults.items(task, "sources", at, most=100), f"{at}/sources", _source)


def _source(faults: PayloadFaults, source: Json, at: str) -> None:
    if source.get("type") != "url":
        faults.add(f"unsupported type: {source.get('type')}", f"{at}/type")
    faults.keys(source, at, required=("url", "text"))
    faults.url(source, "url", at)


def table(faults: PayloadFaults, block: Json, at: str) -> None:
    """A table: at most 100 rows of 20 cells, 10,000 characters in all."""
    faults.keys(block, at, required=("rows",))
    rows = faults.items(block, "rows", at, least=1, most=100)
    faults.each(faults.items(block, "column_settings", at, most=20), f"{at}/column_settings", _column)
    _cells(faults, rows, f"{at}/rows", most_text=MAX_TABLE_TEXT)


def data_table(faults: PayloadFaults, block: Json, at: str) -> None:
    """A data table: a header row and up to 200 more, each as wide as the first."""
    faults.keys(block, at, required=("rows", "caption"))
    rows = faults.items(block, "rows", at, least=2, most=201)
    faults.number(block, "page_size", at, least=1, most=100)
    _cells(faults, rows, f"{at}/rows", most_text=MAX_DATA_TABLE_TEXT)
    widths = {len(row) for row in rows if isinstance(row, list)}
    if len(widths) > 1:
        faults.add("every row must have the same number of cells", f"{at}/rows")


def _column(faults: PayloadFaults, column: Json, at: str) -> None:
    faults.choice(column, "align", at, ("left", "center", "right"))


def _cells(faults: PayloadFaults, rows: list[Any], at: str, *, most_text: int) -> None:
    total = 0
    for index, row in enumerate(rows):
        where = f"{at}/{index}"
        if not isinstance(row, list):
            faults.add("must provide an array", where)
            continue
        if len(row) > 20:  # noqa: PLR2004  # Slack's widest row
            faults.add("no more than 20 items allowed", where)
        for column, cell in enumerate(row):
            total += _cell(faults, cell, f"{where}/{column}")
    if total > most_text:
        faults.add(f"must be less than {most_text + 1} characters in all cells", at)


def _cell(faults: PayloadFaults, cell: Any, at: str) -> int:  # noqa: ANN401  # whatever was sent
    if not faults.mapping(cell, at):
        return 0
    match cell.get("type"):
        case "raw_text":
            faults.keys(cell, at, required=("text",))
            faults.string(cell, "text", at, most=MAX_DATA_TABLE_TEXT, least=1)
            return len(str(cell.get("text", "")))
        case "raw_number":
            faults.keys(cell, at, required=("value",))
            return len(str(cell.get("text", cell.get("value", ""))))
        case "rich_text":
            rich_text(faults, cell, at)
            return 0
        case other:
            faults.add(f"unsupported type: {other}", f"{at}/type")
            return 0


def alert(faults: PayloadFaults, block: Json, at: str) -> None:
    """A callout in a modal."""
    faults.keys(block, at, required=("text",))
    faults.text(block, "text", at, most=200)
    faults.choice(block, "level", at, ("default", "info", "warning", "error", "success"))


def card(faults: PayloadFaults, block: Json, at: str) -> None:
    """A card: at least one of picture, title, body and actions."""
    if not any(block.get(key) for key in ("hero_image", "title", "actions", "body")):
        faults.add("missing required field: one of hero_image, title, actions, body", at)
    for key, most in (("title", 150), ("subtitle", 150), ("body", 200), ("subtext", 200)):
        faults.text(block, key, at, most=most)
    for key in ("hero_image", "icon"):
        if block.get(key) is not None and faults.mapping(block[key], f"{at}/{key}"):
            image_element(faults, block[key], f"{at}/{key}")
    for index, item in enumerate(faults.items(block, "actions", at, most=3)):
        element(faults, item, f"{at}/actions/{index}", allowed=frozenset({"button"}))


def carousel(faults: PayloadFaults, block: Json, at: str) -> None:
    """1 to 10 cards side by side."""
    faults.keys(block, at, required=("elements",))
    faults.each(faults.items(block, "elements", at, least=1, most=10), f"{at}/elements", card)


def container(faults: PayloadFaults, block: Json, at: str) -> None:
    """A titled group; the blocks inside are checked by the caller, who knows the surface."""
    faults.keys(block, at, required=("child_blocks",))
    faults.text(block, "title", at, most=150, kinds=PLAIN)
    faults.text(block, "subtitle", at, most=150)
    for index, child in enumerate(faults.items(block, "child_blocks", at, least=1, most=10)):
        if isinstance(child, dict) and child.get("type") == "container":
            faults.add("unsupported type: container inside a container", f"{at}/child_blocks/{index}/type")


def data_visualization(faults: PayloadFaults, block: Json, at: str) -> None:
    """A chart drawn by Slack: a title, and a pie's segments or an axis' series."""
    faults.keys(block, at, required=("title", "chart"))
    faults.string(block, "title", at, most=50, least=1)
    chart = block.get("chart")
    if chart is None or not faults.mapping(chart, f"{at}/chart"):
        return
    where = f"{at}/chart"
    faults.keys(chart, where, required=("type",))
    faults.choice(chart, "type", where, ("pie", "line", "bar", "area"))
    if chart.get("type") == "pie":
        faults.keys(chart, where, required=("segments",))
        faults.items(chart, "segments", where, least=1, most=12)
    else:
        faults.keys(chart, where, required=("series",))
        faults.items(chart, "series", where, least=1, most=12)


NEWER_RULES: dict[str, Rule] = {
    "plan": plan,
    "task_card": task_card,
    "table": table,
    "data_table": data_table,
    "alert": alert,
    "card": card,
    "carousel": carousel,
    "container": container,
    "data_visualization": data_visualization,
}
