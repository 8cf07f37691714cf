"""Slack's limits, and the only functions that cut and escape text to stay within them."""

from __future__ import annotations

import re

TEXT_CHARS = 3_900
"""A message's ``text``; Slack refuses an edit above 4,000."""
SECTION_CHARS = 2_900
"""A section's text; Slack allows 3,000 and does not document how it counts emoji."""
HEADER_CHARS = 140
CONTEXT_CHARS = 1_900
CONFIRM_TITLE_CHARS = 95
CONFIRM_TEXT_CHARS = 280
BUTTON_CHARS = 70
OPTION_CHARS = 75
OPTION_VALUE_CHARS = 150
SELECT_OPTIONS = 100
METADATA_CHARS = 3_000
MESSAGE_CHARS = 9_000
"""Text of all blocks of a message; Slack's own limit is undocumented, near 12,000."""
MESSAGE_BLOCKS = 50
HOME_BLOCKS = 100
PLAN_TASKS = 50

_LINK_CHARS = 1_200
_ENTITY_MAX = 5
_ELLIPSIS = "…"
_FENCE = "```"
_WEB = re.compile(r"https?://[^\s`]+")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters and those that change the direction of writing."""


def clean(text: str) -> str:
    """Return a text from outside as one line: no control characters, no lone surrogates, single spaces."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(_INVISIBLE.sub(" ", valid).split())


def clip(text: str, limit: int) -> str:
    """Return plain text cut to ``limit`` characters, with an ellipsis where text is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def escape(text: str) -> str:
    """Return text with the characters escaped that would mention, link or ping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Return text with ``escape`` undone."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def prose(text: str, limit: int = 300) -> str:
    """Return text from outside, safe within a line of mrkdwn; at most ``limit`` characters once escaped."""
    line = clean(text)
    if line.count("`") % 2 or "``" in line:
        line = line.replace("`", "'")
    shown = _escaped(line, limit)
    return shown if shown.count("`") % 2 == 0 else shown.replace("`", "'")


def bold(text: str, limit: int = 300) -> str:
    """Return text from outside in bold; characters that would end the bold are replaced."""
    shown = prose(text.replace("*", "∗"), limit)  # noqa: RUF001  # looks like a star but is not one
    return f"*{shown}*" if shown else ""


def code(text: str, limit: int = 300) -> str:
    """Return a log line, value or query from outside as inline code, on one line."""
    shown = _escaped(clean(text).replace("`", "'"), limit)
    return f"`{shown}`" if shown else ""


def link(url: str, label: str) -> str:
    """Return a linked label; empty unless ``url`` is a web address short enough to be safe."""
    if not _WEB.fullmatch(url) or clean(url) != url or len(url) > _LINK_CHARS:
        return ""
    safe = escape(url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
    return f"<{safe}|{prose(label, 60).replace('|', '/')}>"


def plain(text: str, limit: int) -> str:
    """Return text from outside as plain text: never empty, and never read as a mention."""
    return clip(clean(text).replace("<!", "< !"), limit) or "–"  # noqa: RUF001  # a dash for empty text


def cut_lines(text: str, limit: int) -> str:
    """Return mrkdwn cut at the end of a line, with the number of missing lines.

    A token, link, entity, code span or fence is never cut in two.
    """
    if len(text) <= limit:
        return text
    lines = text.split("\n")
    note = f"… and {len(lines)} more lines"
    room = limit - len(note) - len(_FENCE) - 2
    kept: list[str] = []
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    if not kept:
        return _cut_line(lines[0], limit)
    if "\n".join(kept).count(_FENCE) % 2:
        kept.append(_FENCE)
    left = len(lines) - len(kept)
    return "\n".join((*kept, f"… and {left} more line{'s' if left != 1 else ''}"))


def _cut_line(line: str, limit: int) -> str:
    cut = line[: limit - len(_FENCE) - 1]
    opened = cut.rfind("<")
    if opened > cut.rfind(">"):
        cut = cut[:opened]
    cut = _before_half_entity(cut)
    if cut.count(_FENCE) % 2:
        return f"{cut}{_ELLIPSIS}{_FENCE}"
    return f"{cut}{_ELLIPSIS}`" if cut.count("`") % 2 else f"{cut}{_ELLIPSIS}"


def _escaped(line: str, limit: int) -> str:
    shown = escape(line)
    if len(shown) <= limit:
        return shown
    return _before_half_entity(shown[: limit - 1]).rstrip() + _ELLIPSIS


def _before_half_entity(text: str) -> str:
    start = text.rfind("&")
    if start >= 0 and len(text) - start < _ENTITY_MAX and ";" not in text[start:]:
        return text[:start]
    return text
