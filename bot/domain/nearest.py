"""Did you mean: the known word nearest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_WORD = 80


def nearest(word: str, known: Iterable[str]) -> str:
    """Find the known word most like ``word``; empty if none is close."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word[:_MAX_WORD].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean `x`?)``, or an empty text when no known word is close."""
    found = nearest(word, known)
    return f" (did you mean `{found}`?)" if found else ""
