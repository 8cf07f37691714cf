"""Locks by people: a person stops deployments of a service, for a reason and for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import model_validator

from bot.domain.catalogue import Address
from bot.domain.deployments.freeze import Reason
from bot.domain.deployments.gate import GateResult, proceed, reject
from bot.domain.formatting import about
from bot.domain.model import Instant, Model
from bot.domain.people import Person

DEFAULT_S = 4 * 3600.0
"""How long a lock lasts unless a duration is given, in seconds."""
MOST_S = 7 * 86_400.0
"""The longest that a lock may last, in seconds."""
KEPT_S = 8 * 86_400
"""How long the changes of a lock are kept, in seconds."""


class DeployLock(Model):
    """One person's lock of one service; an expired lock no longer counts."""

    service: Address
    by: Person
    reason: Reason
    at: Instant
    until: Instant

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 0 < (self.until - self.at).total_seconds() <= MOST_S:
            raise ValueError("a lock must last more than 0 s and at most 7 days")
        return self

    def holds(self, *, at: datetime) -> bool:
        """Return whether it has not expired."""
        return at < self.until


class LockChange(Model):
    """One thing that a person did with a lock, for the channel of its service."""

    key: str
    """The request's: the same one delivered again is the same change."""
    kind: Literal["locked", "handed_over", "unlocked"]
    by: Person
    at: Instant
    lock: DeployLock
    """The lock as it was then; when it was removed, as it was before."""

    @property
    def episode(self) -> str:
        """What the changes of one lock have in common: ``<service>:<when it was locked, in ms>``."""
        return f"{self.lock.service}:{int(self.lock.at.timestamp() * 1000)}"


def rule_lock(lock: DeployLock | None, *, at: datetime) -> GateResult:
    """Return whether a person's lock lets a deployment pass; it stops its owner as well."""
    if lock is None or not lock.holds(at=at):
        return proceed("lock", "It is not locked.")
    left = about((lock.until - at).total_seconds())
    who, why = lock.by.name or lock.by.id, lock.reason.rstrip(".")
    return reject(
        "lock",
        code="locked",
        why=f"{who} has locked `{lock.service}`: {why}. The lock expires in {left}.",
        way_out=f"Ask {who}, or an approver of `{lock.service}`, to remove the lock.",
        until=lock.until,
    )


def unlocking(lock: DeployLock, *, asker: Person, is_approver: bool) -> str:
    """Return what a person can do about a lock: remove their own, or another's as an approver; or ask."""
    command = f"`/deploy unlock {lock.service}`"
    if lock.by.id == asker.id:
        return f"It is your own lock: {command} removes it."
    who = lock.by.name or lock.by.id
    if is_approver:
        return f"Ask {who} first. As an approver you can remove it: {command}."
    return f"Ask {who}, or an approver of `{lock.service}`, to remove the lock."
