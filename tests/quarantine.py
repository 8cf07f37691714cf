"""Reads the tests that run apart because they measure the machine."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FILE = Path(__file__).with_name("quarantine.toml")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One test in quarantine; ``test`` is its node id, without the brackets of a parameter or with them."""

    test: str
    since: date
    cause: str
    ends_when: str
    renewed: date | None = None

    @property
    def confirmed(self) -> date:
        """The day on which somebody last looked at it."""
        return self.renewed or self.since

    def covers(self, node_id: str) -> bool:
        """Return whether it names this test, or all parameters of it."""
        return node_id == self.test or node_id.startswith(f"{self.test}[")


def entries(text: str | None = None) -> tuple[Entry, ...]:
    """Return the entries of the file, or of ``text``."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8") if text is None else text)
    return tuple(Entry(**entry) for entry in found.get("test", ()))
