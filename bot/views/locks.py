"""The deploy locks of services as text, and answers to commands on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.people import Person
from bot.views.limits import TEXT_CHARS, code, cut_lines, prose
from bot.views.phrases import (
    who,
)


def locks_text(locks: Sequence[DeployLock]) -> str:
    """Return the locks, a line each: who, which service, until when and why."""
    lines = [f"🔒 {lock_words(lock)}." for lock in locks]
    return cut_lines("\n".join(lines), TEXT_CHARS) or "Nothing is locked."


def lock_words(lock: DeployLock) -> str:
    """Return one lock as a clause: who, which service, until when and why, without a full stop."""
    reason = prose(lock.reason.rstrip("."), 600)
    return f"{who(lock.by)} has locked {code(lock.service, 140)} until {_moment(lock.until)}: {reason}"


def locked_text(lock: DeployLock) -> str:
    """Return that a service is locked, until when, and how to unlock it."""
    return (
        f"🔒 `{lock.service}` is locked until {_moment(lock.until)}. Until then no one can deploy it,"
        f" including you. `/deploy unlock {lock.service}` removes the lock."
    )


def unlocked_text(service: str) -> str:
    """Return that a service is no longer locked."""
    return f"🔓 `{service}` is no longer locked."


def lock_removed_text(lock: DeployLock, *, by: Person) -> str:
    """Return, for the owner of a lock, who removed it."""
    return f"🔓 {who(by)} removed your lock on `{lock.service}`."


def handed_over_text(services: Sequence[str], *, to: Person) -> str:
    """Return, for the earlier owner, who holds the locks now."""
    return f"🔒 {who(to)} now holds the lock on {_listed(services)}."


def received_text(services: Sequence[str], *, by: Person) -> str:
    """Return, for the new owner, who handed the locks over."""
    return f"🔒 {who(by)} handed you the lock on {_listed(services)}. `/deploy locks` shows when it ends."


def _listed(services: Sequence[str]) -> str:
    return ", ".join(f"`{service}`" for service in services)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
