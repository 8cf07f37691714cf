"""The reference tells of everything there is."""

from __future__ import annotations

import importlib
import re
import sys

import pytest

import handlers
from bot.__main__ import commands
from bot.engine.plugins import Plugins, plugins_in, scan
from bot.settings import Settings, variable
from tests.docs.pages import ROOT
from tests.support.depths import operating

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_every_setting_is_in_the_reference():
    text = page("settings.md")
    assert [name for name in Settings.model_fields if f"`{variable(name)}`" not in text] == []


def test_no_setting_is_without_a_meaning():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_setting_the_docs_name_exists():
    known = {variable(name) for name in Settings.model_fields}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    named = {name for text in texts for name in re.findall(r"PILOTHOUSE_[A-Z_]+[A-Z]", text)}
    assert named
    assert named <= known


def test_every_probe_and_action_is_in_the_reference():
    text = page("plugins.md")
    plugins = scan("bot.probes", "bot.actions", third_parties=False)
    assert [name for name in plugins.by_name if f"### `{name}`" not in text] == []


def test_every_command_is_in_the_reference():
    text = page("commands.md")
    assert [module.NAME for module in commands() if f"`pilothouse {module.NAME}`" not in text] == []
    slashes = [module.COMMAND for module in handlers.modules() if hasattr(module, "COMMAND")]
    assert [name for name in slashes if f"`{name} " not in text] == []


def test_every_metric_is_in_the_reference_and_every_metric_the_docs_name_exists():
    known = operating(ping=None).meters.registry._names_to_collectors
    pages = {path: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
    told = page("metrics.md")
    short = {re.sub(r"_(total|created|bucket|count|sum)$", "", name) for name in known}
    assert [name for name in short if f"`{name}" not in told] == []
    for path, text in pages.items():
        named = set(re.findall(r"\bpilothouse_[a-z_]+[a-z]", text))
        assert named - set(known) - short == set(), path


def test_every_name_of_the_glossary_exists():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    names = re.findall(r"`(bot(?:\.\w+)+)`", text)
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


@pytest.fixture
def example(monkeypatch):
    """The example probe of CONTRIBUTING, as the module it would be."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(\"\"\"Measures.*?)```", text, re.DOTALL)
    module = type(sys)("bot.probes.queues")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))
    return module


def test_the_example_probe_of_the_contributing_guide_is_one(example):
    plugins = Plugins({plugin.name: plugin for plugin in plugins_in(example)})
    assert plugins.get("queues.lag").check({"service": "checkout"}) == {"service": "checkout"}
    assert "queues.lag" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
