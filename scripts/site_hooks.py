"""What MkDocs cannot do by itself: links to files of the repository, and a picture that follows the theme."""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.structure.pages import Page

_ROOT = Path(__file__).resolve().parent.parent
_REPOSITORY = "https://github.com/pilothouse/pilothouse"
_FENCE = re.compile(r"^(```+|~~~+)[^\n]*\n.*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((\.\./[^)\s#]*)(#[^)\s]*)?\)")
_PICTURE = re.compile(r'<img\b[^>]*\bsrc="([^"]*images/pilothouse\.svg)"[^>]*>')

log = logging.getLogger("mkdocs.hooks.site")  # a warning here fails a strict build


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Point links that leave docs/ to the repository; warn of those that lead nowhere.

    In the files they are relative, so that they work in a checkout and on the code host.
    """
    folder = posixpath.dirname(f"docs/{page.file.src_uri}")

    def pointed(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match[1]))
        if path.startswith("docs/"):
            return match[0]
        target = _ROOT / path
        if path.startswith("..") or not target.exists():
            log.warning("%s links to %s, which does not exist", page.file.src_uri, match[1])
        kind = "tree" if target.is_dir() else "blob"
        return f"]({_REPOSITORY}/{kind}/main/{path}{match[2] or ''})"

    kept, end = [], 0
    for fence in _FENCE.finditer(markdown):
        kept += [_LINK.sub(pointed, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*kept, _LINK.sub(pointed, markdown[end:])])


def on_page_content(html: str, **_: object) -> str:
    """Put the picture of the start page into the page, so that it takes the colours of the theme."""
    drawing = (_ROOT / "docs" / "images" / "pilothouse.svg").read_text("utf-8")
    return _PICTURE.sub(lambda _: drawing, html)
