"""What the tests of the docs read: every page, its links and its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FOREIGN = {".venv", "var", "node_modules", "site"}
_FENCE = re.compile(r"^(```+|~~~+)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def pages() -> list[Path]:
    """Return every page of the project, by path."""
    found = ROOT.rglob("*.md")
    return sorted(
        path
        for path in found
        if not any(part in _FOREIGN or part.startswith(".") for part in path.relative_to(ROOT).parts)
    )


def code_of(text: str) -> Iterator[str]:
    """Yield every block and every span of code in a page."""
    for fence in _FENCE.finditer(text):
        yield fence.group(2)
    for span in _SPAN.finditer(_FENCE.sub("", text)):
        yield span.group(2)


def links_of(text: str) -> Iterator[str]:
    """Yield the target of every link that is not a web address."""
    for target in _LINK.findall(_SPAN.sub("", _FENCE.sub("", text))):
        if not re.match(r"[a-z][a-z0-9+.-]*:", target):
            yield target


def anchors_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = (
        re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in _HEADING.findall(_FENCE.sub("", text))
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
