"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

LONGEST = 400


def sources(*folders: str) -> list[Path]:
    found = {folder: sorted((ROOT / folder).rglob("*.py")) for folder in folders}
    assert all(found.values()), f"a rule of a folder that is not there holds for nothing: {found}"
    return [path for paths in found.values() for path in paths]


def test_no_file_is_too_long_to_have_one_purpose():
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources("bot", "handlers")
    }
    assert {str(path): length for path, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("folder", ["handlers", "bot/probes", "bot/actions"])
def test_no_plugin_or_handler_catches_everything(folder):
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert not _catches_everything(node), f"{path.relative_to(ROOT)}:{node.lineno}"


def _catches_everything(node: ast.ExceptHandler) -> bool:
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id.endswith("Exception")) for kind in caught
    )


def test_catching_everything_would_be_found():
    for text in ("except:", "except Exception:", "except (OSError, BaseException):"):
        (handler,) = ast.parse(f"try: ...\n{text} ...").body[0].handlers
        assert _catches_everything(handler)


def test_every_module_says_in_one_sentence_what_is_in_it():
    for path in sources("bot", "handlers", "localslack", "demo"):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert said, path.relative_to(ROOT)


def test_log_events_are_constants():
    for path in sources("bot", "handlers"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if _is_log_call(node):
                event = node.args[0]
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                assert isinstance(event, ast.Constant), where
                assert re.fullmatch(r"[a-z][a-z0-9_]*", str(event.value)), where


def _is_log_call(node: ast.AST) -> bool:
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in levels
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    )


def test_the_pinned_packages_name_no_address():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if "://" in line or line.startswith("-")] == []
        pins = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pins
        assert [line for line in pins if "==" not in line] == []


def test_what_runs_is_pinned_the_same_for_running_and_for_testing():
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
