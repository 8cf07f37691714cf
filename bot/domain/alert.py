"""Alerts: what a monitoring system says is wrong, with its life."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.domain.model import Instant, Model


class Alert(Model):
    """One alert; the same ``fingerprint`` and ``starts_at`` are the same episode."""

    fingerprint: str
    name: str
    service: str
    severity: str = ""
    summary: str = ""
    description: str = ""
    status: Literal["firing", "resolved"]
    starts_at: Instant
    ends_at: Instant | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    source: str = "alertmanager"
    url: str = ""

    @property
    def id(self) -> str:
        """The episode's id, derived, so that a redelivery is the same alert."""
        return f"{self.fingerprint}-{int(self.starts_at.timestamp())}"
