"""What clients of one service saw: how many requests they sent, how many failed, and who answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.shop.clock import iso, utc_now


@dataclass
class VersionAnswers:
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


class VersionTally:
    """Counts since the shop was opened; a feature is under its flag, ``""`` is what no version answered."""

    def __init__(self) -> None:
        self.sent = 0
        self.failed = 0
        self._by_version: dict[str, VersionAnswers] = {}

    def count(self, *, ok: bool, version: str = "", server: str = "", feature: str = "") -> None:
        """Count one request at its end: for its version, and for the feature behind a flag that it met."""
        self.sent += 1
        self.failed += not ok
        for name in (version, *((feature,) if feature else ())):
            answers = self._by_version.setdefault(name, VersionAnswers())
            answers.answered += 1
            answers.failed += not ok
            answers.last_at = utc_now()
            if server:
                answers.servers.add(server)

    def to_json(self) -> dict[str, Any]:
        """Write all counts as the API hands them out."""
        versions = {version: answers.to_json() for version, answers in self._by_version.items()}
        return {"sent": self.sent, "failed": self.failed, "by_version": versions}
