"""What clients of one service saw: how many requests they sent, how many failed, and who answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.clock import iso, utc_now


@dataclass
class Answers:
    """The answers of one version."""

    answered: int = 0
    failed: int = 0
    last_at: datetime | None = None
    servers: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, Any]:
        """Write it as the API hands it out."""
        return {
            "answered": self.answered,
            "failed": self.failed,
            "last_at": iso(self.last_at) if self.last_at else None,
            "servers": sorted(self.servers),
        }


class Tally:
    """Counts since the shop was opened; what no version answered is under ``""``."""

    def __init__(self) -> None:
        self.sent = 0
        self.failed = 0
        self._by_version: dict[str, Answers] = {}

    def count(self, *, ok: bool, version: str = "", server: str = "") -> None:
        """Count one request at its end."""
        answers = self._by_version.setdefault(version, Answers())
        self.sent += 1
        answers.answered += 1
        answers.last_at = utc_now()
        if server:
            answers.servers.add(server)
        if not ok:
            self.failed += 1
            answers.failed += 1

    def to_json(self) -> dict[str, Any]:
        """Write all counts as the API hands them out."""
        versions = {version: answers.to_json() for version, answers in self._by_version.items()}
        return {"sent": self.sent, "failed": self.failed, "by_version": versions}
