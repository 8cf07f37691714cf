"""Reads YAML with the line of every part, and reports errors in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from pydantic import JsonValue

Where = tuple[str | int, ...]
"""A place in a document, such as ``("phases", 2, "steps", 0)``."""

MAX_BYTES: Final = 8_000_000
_LEAST_MAX_NODES = 20_000
_CHARACTERS_A_NODE = 4
"""Characters that a part takes on average at least; only anchors need fewer."""
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PLAIN = frozenset(f"{_TAG}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null"))


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One error in a file; ``line`` and ``column`` count from 1, 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0
    where: str = ""
    text: str

    def __str__(self) -> str:
        """Return it in the form of compiler errors, so that editors can jump there."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.where, self.text) if part)


@dataclass(kw_only=True)
class Document:
    """A file's data, the position of each part, and the problems found so far."""

    file: str
    data: JsonValue = None
    marks: dict[Where, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(self, where: Where, text: str, *, at: Where | None = None) -> None:
        """Add a problem of ``where``; its line is that of ``at``, or of the nearest place above."""
        line, column = self.mark(where if at is None else at)
        self.problems.append(Problem(file=self.file, line=line, column=column, where=spelt(where), text=text))

    def mark(self, where: Where) -> tuple[int, int]:
        """Return the line and column of a place."""
        while where and where not in self.marks:
            where = where[:-1]
        return self.marks.get(where, (1, 1))


def spelt(where: Where) -> str:
    """Return a place as people write it: ``phases[2].steps[0].with``."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown_path(path: Path) -> str:
    """Return a path relative to the working directory, if it is below it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def read_yaml(path: Path) -> Document:
    """Read one file; errors are in the document's ``problems``, nothing is raised."""
    document = Document(file=shown_path(path))
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            document.report((), f"has {len(content)} bytes; at most {MAX_BYTES} are read")
            return document
        text = content.decode()
    except OSError as error:
        document.report((), f"cannot be read: {error.strerror or type(error).__name__}")
        return document
    except UnicodeDecodeError as error:
        document.report((), f"is not UTF-8: {error.reason} at byte {error.start}")
        return document
    _parse(document, text)
    return document


def _parse(document: Document, text: str) -> None:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            document.report((), "is empty")
            return
        most = max(_LEAST_MAX_NODES, len(text) // _CHARACTERS_A_NODE)
        _Walk(document, most_nodes=most).visit(node, (), ())
        if not document.problems:
            document.data = loader.construct_document(node)
    except yaml.YAMLError as error:
        _syntax(document, error)
    except ValueError as error:
        document.report((), f"cannot be read: {error}")
    except RecursionError:
        document.report((), "cannot be read: it is nested too deep")


def _syntax(document: Document, error: yaml.YAMLError) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    text = getattr(error, "problem", None) or str(error).partition("\n")[0]
    if "cannot start any token" in text and "'\\t'" in text:
        text = "a tab; indent with spaces"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    document.problems.append(
        Problem(file=document.file, line=line, column=column, text=f"is not YAML: {text}")
    )


class _Walk:
    """Records the position of every part, and reports what YAML allows but people do not mean."""

    def __init__(self, document: Document, *, most_nodes: int) -> None:
        self._document = document
        self._nodes = 0
        self._most_nodes = most_nodes

    def visit(self, node: yaml.Node, where: Where, above: tuple[yaml.Node, ...]) -> None:
        """Visit a node; ``above`` holds the nodes that contain it."""
        self._nodes += 1
        if self._nodes > self._most_nodes:
            raise ValueError(f"it has more than {self._most_nodes} parts once its anchors are filled in")
        if any(node is outer for outer in above):
            raise ValueError("an anchor contains itself")
        self._document.marks.setdefault(where, (node.start_mark.line + 1, node.start_mark.column + 1))
        if node.tag not in _PLAIN:
            what = "date" if node.tag == f"{_TAG}timestamp" else "`" + node.tag.removeprefix(_TAG) + "`"
            self._note(node, where, f"is a {what} to YAML; put it in quotes")
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, where, (*above, node))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*where, index), (*above, node))

    def _mapping(self, node: yaml.MappingNode, where: Where, above: tuple[yaml.Node, ...]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._note(key, where, "a value that begins with `{{` must be in quotes")
                continue
            if key.tag != f"{_TAG}str":
                self._note(key, where, f"`{key.value}` is not text; put the name in quotes")
                continue
            if key.value in seen:
                self._note(key, where, f"`{key.value}` appears twice")
            seen.add(key.value)
            place = (*where, key.value)
            self._document.marks.setdefault(place, (key.start_mark.line + 1, key.start_mark.column + 1))
            self.visit(value, place, above)
        for key, value in node.value:
            if key.tag == _MERGE:  # after the node's own keys, which win
                for merged in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                    self.visit(merged, where, above)

    def _note(self, node: yaml.Node, where: Where, text: str) -> None:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._document.problems.append(
            Problem(file=self._document.file, line=line, column=column, where=spelt(where), text=text)
        )


def part_of(data: JsonValue, where: Where) -> JsonValue:
    """Return the data at a place; none where there is nothing."""
    for part in where:
        if isinstance(data, Mapping) and isinstance(part, str):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
