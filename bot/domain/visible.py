"""Text without the invisible characters that phones and chat clients put around words."""

from __future__ import annotations

import unicodedata

_TRAILING = ".,;:!?"
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks, by Unicode's categories, that are invisible."""


def visible(text: str) -> str:
    """Return text without invisible characters: zero width, format, soft hyphen, byte order mark."""
    if text.isascii():
        return text
    return "".join(char for char in text if unicodedata.category(char) != "Cf" and char not in _BLANK_LETTERS)


def bare_name(word: str) -> str:
    """Return a name in lower case, without invisible characters and punctuation at its end."""
    return visible(word).strip().rstrip(_TRAILING).casefold()
