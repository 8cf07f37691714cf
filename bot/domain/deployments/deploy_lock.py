"""Locks by people: somebody keeps a service from being deployed, for a reason and for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import model_validator

from bot.domain.catalogue import Address
from bot.domain.deployments.freeze import Reason
from bot.domain.deployments.gate import GateResult, proceed, reject
from bot.domain.formatting import about
from bot.domain.model import Instant, Model
from bot.domain.people import Person

DEFAULT_S = 4 * 3600.0
"""How long a lock holds where nobody says so, in seconds."""
MOST_S = 7 * 86_400.0
"""The longest that a lock may hold, in seconds."""


class DeployLock(Model):
    """One person's lock of one service; once it has expired there is none."""

    service: Address
    by: Person
    reason: Reason
    at: Instant
    until: Instant

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 0 < (self.until - self.at).total_seconds() <= MOST_S:
            raise ValueError("a lock holds for a moment at least and for 7 days at most")
        return self

    def holds(self, *, at: datetime) -> bool:
        """Tell whether it has not expired."""
        return at < self.until


def rule_lock(lock: DeployLock | None, *, at: datetime) -> GateResult:
    """Say whether a person's lock lets a deployment pass; it stops its owner as well."""
    if lock is None or not lock.holds(at=at):
        return proceed("lock", "Nobody has locked it.")
    left = about((lock.until - at).total_seconds())
    who, why = lock.by.name or lock.by.id, lock.reason.rstrip(".")
    return reject(
        "lock",
        code="locked",
        why=f"{who} has locked `{lock.service}`: {why}. It ends by itself in {left}.",
        way_out=f"Ask {who}, or an approver of `{lock.service}`, to take the lock off.",
        until=lock.until,
    )
