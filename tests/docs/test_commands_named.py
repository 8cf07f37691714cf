"""Every command that the docs name exists, with the options they give it."""

from __future__ import annotations

import argparse
import importlib.util
import re

import pytest

from bot.__main__ import build_parser
from tests.docs.pages import ROOT, code_of, pages

COMMAND = r"(?m)(?:^|[=/]|[:;&|$] )pilothouse ([a-z][a-z-]*)"
"""The command at the start of a line, after a folder, or after what a shell, a Procfile or a unit file puts before it."""
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def subcommands() -> dict[str, argparse.ArgumentParser]:
    (subparsers,) = (
        action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return dict(subparsers.choices)


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return every option of a command and of its verbs."""
    own = [option for action in parser._actions for option in action.option_strings]
    verbs = [a.choices.values() for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return own + [option for some in verbs for verb in some for option in options_of(verb)]


def named(pattern: str, text: str) -> list[str]:
    return [found for code in code_of(text) for found in re.findall(pattern, code)]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    assert set(named(r"(?m)(?:^|\s)make ([a-z][a-z-]*)", text)) <= TARGETS
    assert set(named(COMMAND, text)) <= set(subcommands())
    for module in named(r"python3? -m (demo|localslack)\b", text):
        assert importlib.util.find_spec(f"{module}.__main__") is not None
    for module in named(r"python3? -m (bench\.[a-z_]+)\b", text):
        assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_a_page_gives_a_command_exists(page):
    known = subcommands()
    for name, rest in named(rf"{COMMAND}([^\n]*)", page.read_text(encoding="utf-8")):
        spelt = set(options_of(known[name]))
        given = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest.partition("#")[0].partition("|")[0]))
        assert given <= spelt, f"{name} has no {given - spelt}"


def test_every_command_of_the_makefile_and_the_procfile_exists():
    for file in ("Makefile", "Procfile"):
        text = (ROOT / file).read_text(encoding="utf-8")
        named_here = set(re.findall(COMMAND, text))
        assert named_here
        assert named_here <= set(subcommands())


def test_commands_are_written_in_one_way():
    """``python -m bot`` works as well, and only the README says so; records of the past are not rewritten."""
    written = {*pages(), *(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")}
    exempt = {ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "bot" / "__main__.py"}
    texts = {path: path.read_text(encoding="utf-8") for path in written - exempt if path.parent.name != "adr"}
    assert [path for path, text in texts.items() if "python -m bot" in text] == []


def test_every_script_that_make_runs_exists():
    text = (ROOT / "Makefile").read_text(encoding="utf-8") + (ROOT / ".ci" / "run").read_text(
        encoding="utf-8"
    )
    scripts, targets = re.findall(r"scripts/[\w.]+", text), re.findall(r"make ([a-z]+)$", text, re.MULTILINE)
    assert scripts
    assert targets
    assert [script for script in scripts if not (ROOT / script).is_file()] == []
    assert set(targets) <= TARGETS


def test_make_lists_every_task():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)) == TARGETS
