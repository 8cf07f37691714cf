"""A list of faults, each with a JSON pointer, and the small checks every block is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from localslack.shapes import Json

Rule = Callable[["PayloadFaults", Json, str], None]
"""Checks one object at a JSON pointer and adds what is wrong with it."""

PLAIN = frozenset({"plain_text"})
ANY_TEXT = frozenset({"plain_text", "mrkdwn"})
MAX_ID = 255
MAX_URL = 3000


def is_one_of(value: Any, allowed: Collection[str]) -> bool:  # noqa: ANN401  # whatever the caller was sent
    """Return whether ``value`` is one of the words; anything but a string is not."""
    return isinstance(value, str) and value in allowed


class PayloadFaults:
    """Every fault of one payload, worded the way Slack words ``response_metadata.messages``."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, text: str, at: str) -> None:
        """Record one fault at the JSON pointer ``at``."""
        self.messages.append(f"[ERROR] {text} [json-pointer:{at or '/'}]")

    def keys(self, value: Json, at: str, *, required: Collection[str] = ()) -> None:
        """Record which required fields are missing (None counts as missing)."""
        for key in required:
            if value.get(key) is None:
                self.add(f"missing required field: {key}", at)

    def mapping(self, value: Any, at: str) -> bool:  # noqa: ANN401  # whatever the caller was sent
        """Return whether ``value`` is an object; record a fault when it is not."""
        if isinstance(value, dict):
            return True
        self.add("must provide an object", at)
        return False

    def string(self, value: Json, key: str, at: str, *, most: int, least: int = 0) -> None:
        """Check the length of a plain string, if it is present."""
        item = value.get(key)
        if item is None:
            return
        where = f"{at}/{key}"
        if not isinstance(item, str):
            self.add("must provide a string", where)
        elif len(item) > most:
            self.add(f"must be less than {most + 1} characters", where)
        elif len(item) < least:
            self.add(f"must be more than {least - 1} characters", where)

    def text(self, value: Json, key: str, at: str, *, most: int, kinds: Collection[str] = ANY_TEXT) -> None:
        """Check a text object: its type, and its length from 1 to ``most``."""
        item = value.get(key)
        if item is not None:
            self.text_object(item, f"{at}/{key}", most=most, kinds=kinds)

    def text_object(self, item: Any, at: str, *, most: int, kinds: Collection[str] = ANY_TEXT) -> None:  # noqa: ANN401
        """Check a text object outside a key, as in ``fields``."""
        if not self.mapping(item, at):
            return
        if not is_one_of(item.get("type"), kinds):
            self.add(
                f"unsupported type: {item.get('type')} (allowed: {', '.join(sorted(kinds))})", f"{at}/type"
            )
        self.keys(item, at, required=("text",))
        self.string(item, "text", at, most=most, least=1)
        if "emoji" in item and item.get("type") == "mrkdwn":
            self.add("invalid additional property: emoji", at)
        if "verbatim" in item and item.get("type") == "plain_text":
            self.add("invalid additional property: verbatim", at)

    def items(self, value: Json, key: str, at: str, *, most: int, least: int = 0) -> list[Any]:
        """Return the list under ``key``, with its size checked; empty when it is not a list."""
        found = value.get(key)
        if found is None:
            return []
        where = f"{at}/{key}"
        if not isinstance(found, list):
            self.add("must provide an array", where)
            return []
        if len(found) > most:
            self.add(f"no more than {most} items allowed", where)
        if len(found) < least:
            self.add(f"no fewer than {least} items allowed", where)
        return found

    def number(self, value: Json, key: str, at: str, *, least: float, most: float) -> None:
        """Check that a number is within bounds, if it is present."""
        item = value.get(key)
        if item is None:
            return
        if isinstance(item, bool) or not isinstance(item, int | float):
            self.add("must provide a number", f"{at}/{key}")
        elif not least <= item <= most:
            self.add(f"must be between {least:g} and {most:g}", f"{at}/{key}")

    def choice(self, value: Json, key: str, at: str, allowed: Collection[str]) -> None:
        """Check that a value is one of a closed set of words, if it is present."""
        item = value.get(key)
        if item is not None and not is_one_of(item, allowed):
            self.add(f"must be a valid enum value: {', '.join(sorted(allowed))}", f"{at}/{key}")

    def url(self, value: Json, key: str, at: str, *, most: int = MAX_URL) -> None:
        """Check that a link is absolute, if it is present."""
        item = value.get(key)
        self.string(value, key, at, most=most)
        if isinstance(item, str) and not item.startswith(
            ("http://", "https://", "mailto:", "slack://", "tel:")
        ):
            self.add("must be a valid URL", f"{at}/{key}")

    def each(self, items: list[Any], at: str, rule: Rule) -> None:
        """Apply ``rule`` to each object of a list."""
        for index, item in enumerate(items):
            where = f"{at}/{index}"
            if self.mapping(item, where):
                rule(self, item, where)

    def unique(self, items: list[Any], key: str, at: str) -> None:
        """Record which names under ``key`` occur twice in a list."""
        seen: set[str] = set()
        for index, item in enumerate(items):
            name = item.get(key) if isinstance(item, dict) else None
            if not isinstance(name, str) or not name:
                continue
            if name in seen:
                self.add(f"{key} `{name}` already exists", f"{at}/{index}/{key}")
            seen.add(name)
