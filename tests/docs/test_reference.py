"""The reference, the glossary and the README list everything that exists, and nothing else."""

from __future__ import annotations

import importlib
import re
import tomllib

import pytest

import handlers
from bot.__main__ import commands
from bot.engine.plugins import scan
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
    names = re.findall(r"`((?:bot|handlers)(?:\.\w+)+)`", text)
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_every_class_that_the_glossary_names_beside_a_word_is_the_one_that_it_locates():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*.+?`(\w+)` \| .+ \| `([\w.]+)` \|$", text, re.MULTILINE)
    assert len(rows) > 70
    assert [row for row in rows if row[1].rpartition(".")[2] != row[0]] == []


def test_the_readme_names_every_dependency_with_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = {
        re.match(r"[\w.-]+", spec)[0] for group in (project["dependencies"], *extras) for spec in group
    }
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Dependencies, and why")[2]
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", text, re.MULTILINE)
    named = {name for names, reason in rows if reason for name in re.findall(r"`([\w.-]+)`", names)}
    extra_names = {*project["optional-dependencies"]}
    assert named - extra_names == required


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "docs/explanation/architecture.md", "docs/adr/0019-rooms-layers-and-names.md"]
)
def test_every_layer_that_make_check_enforces_is_on_the_page_in_its_order(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    names = [name for layer in layers for name in layer.split(" | ")]
    text = (ROOT / page).read_text(encoding="utf-8").partition("Imports point")[2]
    small = {"bot.__main__", "bot.ranker_version"}  # modules that a page may leave out
    named = [name for name in dict.fromkeys(re.findall(r"`([\w.]+)`", text)) if name in names]
    assert [name for name in names if name not in named] == [n for n in names if n in small - {*named}]
    assert named == [name for name in names if name in named]
