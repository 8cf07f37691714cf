"""Words of code and of log lines, made comparable: ``MaxAttempts`` and ``max_attempts`` are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]|[A-Za-z]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORTEST = 3
_SUFFIXES = ("ations", "ation", "ings", "ing", "ers", "er", "ed", "es", "s", "e")
_SHORTEST_STEM = 3
# Words that every program and every log line has are no evidence that two of them are related.
COMMON = frozenset(
    """
    the and for with from into that this not has was are all new old via its per out get set add use
    let var val const func function def class return returns self true false null nil none else elif
    then err error errors errorf ctx context string int int64 float float64 bool byte bytes map list
    dict array struct interface type package import public private static void async await http
    https request response req res status code service svc server client handler handle handled main
    data value values key keys name names info warn warning debug log logs logger logging failed
    failing failure fail msg message above below ratio total rate count services internal pkg src
    cmd api config default options option opts object args arg kwargs fmt test tests case len range
    append make over upstream downstream returned returning update chore fix feat refactor tidy docs
    time second seconds millisecond milliseconds
    """.split()  # noqa: SIM905  # a list of quoted words is hard to read
)


def stem(word: str) -> str:
    """Cut the usual endings of an English word: ``retries``, ``retrying`` and ``retry`` become one."""
    text = word.lower()
    if text.endswith("ies"):
        text = text[:-3] + "y"
    for suffix in _SUFFIXES:
        if text.endswith(suffix) and len(text) - len(suffix) >= _SHORTEST_STEM:
            return text[: -len(suffix)]
    return text


def parts(identifier: str) -> list[str]:
    """Split an identifier at its humps, dashes and underscores; stems only, without what is common."""
    found = (part.lower() for part in _PART.findall(identifier))
    return [stem(part) for part in found if len(part) >= _SHORTEST and part not in COMMON]


def words(text: str) -> list[str]:
    """List the words of a text with repetitions: the parts of its identifiers, and compound ones whole."""
    out: list[str] = []
    for identifier in _IDENTIFIER.findall(text):
        pieces = parts(identifier)
        out += pieces
        if len(pieces) > 1:
            out.append("".join(pieces))
    return out


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """Collect the words of some texts."""
    return frozenset(word for text in texts for word in words(text))
