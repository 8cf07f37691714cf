"""Changes: anything that could have caused trouble."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.domain.model import Instant, JsonObject, Model

ChangeKind = Literal["deploy", "rollback", "config", "flag", "restart", "database"]


class Change(Model):
    """One entry of the change ledger."""

    id: str
    at: Instant
    kind: ChangeKind
    service: str
    summary: str
    author: str = ""
    before: str = ""
    after: str = ""
    link: str = ""
    data: JsonObject = Field(default_factory=dict)
