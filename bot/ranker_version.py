"""Names the ranker's version by what can change a ranking, and nothing else."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator
from importlib.abc import InspectLoader
from importlib.resources import files

_RANKER = "bot.ranker"
_OURS = "bot."
_DOMAIN = "bot.domain."
_JSON = re.compile(r"'([\w-]+\.json)'")


def ranker_version() -> str:
    """Return the name of the ranker: twelve hexadecimal digits over its code and its weights.

    It covers ``ranking_code`` and the JSON files that this names.  A comment, a docstring or the formatting
    does not change it; a weight or a branch does, and so does moving a module, once.
    """
    digest = hashlib.sha256()
    for name, code in sorted(ranking_code().items()):
        for content in (code, *_data_of(name, code)):
            digest.update(f"{name} {len(content)}\n{content}\n".encode())
    return digest.hexdigest()[:12]


def ranking_code() -> dict[str, str]:
    """Return the code of the modules that can change a ranking, by name: the ranker's, and all it imports.

    Of the domain only what ranking modules import themselves: its nouns import each other down to the cron
    expressions of monitors, by which nothing is ranked.
    """
    found: dict[str, str] = {}
    waiting = [_RANKER]
    while waiting:
        name = waiting.pop()
        if name not in found:
            tree = stripped(source_of(name))
            found[name] = ast.unparse(tree)
            waiting += () if name.startswith(_DOMAIN) else _imports(tree)
    return found


def stripped(source: str) -> ast.Module:
    """Return a module's syntax tree without comments, docstrings and imports for types: they do nothing."""
    tree = ast.parse(source)
    for node in (tree, *_statements(tree)):
        if body := getattr(node, "body", None):
            body[:] = [line for line in body if not _is_idle(line)] or [ast.Pass()]
    return tree


def source_of(name: str) -> str:
    """Return a module's source, wherever it is installed.

    Raises:
        ImportError: it has none.
    """
    spec = importlib.util.find_spec(name)
    source = spec.loader.get_source(name) if spec and isinstance(spec.loader, InspectLoader) else None
    if source is None:
        raise ImportError(f"{name} was installed without its source, so this ranker has no name.", name=name)
    return source


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(_OURS))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_OURS):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if _is_module(inside) else node.module


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it would be in is not a package
        return False


def _is_idle(line: ast.stmt) -> bool:
    match line:
        case ast.Expr(value=ast.Constant(value=str())) | ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
        case _:
            return False


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements within a node; visiting their expressions too would take most of the time."""
    for block in ("body", "orelse", "handlers", "finalbody", "cases"):
        for inner in getattr(node, block, ()):
            yield inner
            yield from _statements(inner)


def _data_of(name: str, code: str) -> Iterator[str]:
    """Return the JSON files beside a module that its code names, without their formatting."""
    for file in _JSON.findall(code):
        beside = files(name.rpartition(".")[0]) / file
        if beside.is_file():
            yield json.dumps(json.loads(beside.read_text(encoding="utf-8")), sort_keys=True)
