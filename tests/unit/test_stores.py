"""Plugins use of the stores what their context grants, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import bot.actions
import bot.probes
import bot.targets


def store_readers(source: str) -> list[int]:
    """List the lines that read an attribute called ``stores``."""
    nodes = ast.walk(ast.parse(source))
    return [node.lineno for node in nodes if isinstance(node, ast.Attribute) and node.attr == "stores"]


def test_no_plugin_reaches_past_its_context_to_the_stores():
    folders = [
        Path(where) for package in (bot.actions, bot.probes, bot.targets) for where in package.__path__
    ]
    read = {path: path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py")}
    assert len(read) > len(folders)
    assert {path.name: lines for path, text in read.items() if (lines := store_readers(text))} == {}


def test_a_plugin_that_does_would_be_found():
    assert store_readers("async def read(ctx):\n    return await ctx.stores.journal.recent()\n") == [2]
