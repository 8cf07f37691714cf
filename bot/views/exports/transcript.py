"""The whole thread of a run as plain text, for terminals and records."""

from __future__ import annotations

from datetime import datetime

from bot.domain.runs.run import Run
from bot.views.blocks import flatten
from bot.views.limits import unescape
from bot.views.phrases import (
    groups_in,
    names_in,
)
from bot.views.thread.run import run_messages


def thread_text(run: Run, now: datetime) -> str:
    """Return the thread as people see it at ``now``: the root, then the replies, indented."""
    names = names_in(run) | groups_in(run)
    texts: list[str] = []
    for message in run_messages(run, now=now):
        if message.to or (message.only_edit and message.slot.startswith("phase:")):
            continue  # the request in the thread shows the same
        text = unescape(flatten(message.blocks, names=names, urls=True, buttons=True))
        margin = "" if message.slot == "root" else "  │ "
        texts.append("\n".join(f"{margin}{line}".rstrip() for line in text.split("\n")))
    return "\n\n".join(texts)
