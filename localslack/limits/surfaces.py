"""Which block is allowed where."""

from __future__ import annotations

from typing import Literal

Surface = Literal["message", "modal", "home"]

_EVERYWHERE = frozenset(
    {"actions", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}
)

SURFACES: dict[Surface, frozenset[str]] = {
    "message": _EVERYWHERE
    | {
        "carousel",
        "container",
        "context_actions",
        "data_table",
        "data_visualization",
        "file",
        "markdown",
        "plan",
        "table",
        "task_card",
    },
    "modal": _EVERYWHERE | {"alert"},
    "home": _EVERYWHERE | {"carousel", "data_table"},
}
