"""The deploy locks of services as text, and answers to commands on them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from bot.domain.board import DesiredMessage
from bot.domain.deployments.deploy_lock import DeployLock, LockChange
from bot.domain.people import Person
from bot.views.blocks import context, message, section
from bot.views.limits import TEXT_CHARS, code, cut_lines, prose
from bot.views.phrases import (
    local,
    local_day,
    sentence,
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


def lock_messages(changes: Sequence[LockChange]) -> tuple[DesiredMessage, ...]:
    """Return a lock's message, and a reply that the channel shows too for each thing that became of it."""
    if not changes:
        return ()
    first, *later = changes
    head = [section(_changed(first)), *(context(_briefly(change)) for change in later)]
    messages = [message("lock", head, names=_names(changes), urgent=True)]
    for change in later:
        slot = f"lock:{hashlib.sha256(change.key.encode()).hexdigest()[:12]}"
        told = message(slot, [section(_changed(change))], names=_names(changes))
        messages.append(told.model_copy(update={"broadcast": True}))
    return tuple(messages)


def _changed(change: LockChange) -> str:
    lock, by = change.lock, who(change.by)
    service, reason = code(lock.service, 140), sentence(prose(lock.reason, 600))
    match change.kind:
        case "locked":
            return f"🔒 {by} locked {service} until {local_day(lock.until)}: {reason}"
        case "handed_over":
            until = local_day(lock.until)
            return f"🔒 {by} handed the lock on {service} to {who(lock.by)}. It lasts until {until}: {reason}"
        case "unlocked" if change.by.id == lock.by.id:
            return f"🔓 {by} unlocked {service}. It can be deployed again."
        case "unlocked":
            return f"🔓 {by} removed the lock of {who(lock.by)} on {service}. The reason was: {reason}"
        case _:
            assert_never(change.kind)


def _briefly(change: LockChange) -> str:
    did = f"handed over to {who(change.lock.by)}" if change.kind == "handed_over" else change.kind
    return f"{did} by {who(change.by)} at {local(change.at)}"


def _names(changes: Sequence[LockChange]) -> dict[str, str]:
    people = [person for change in changes for person in (change.by, change.lock.by)]
    return {person.id: person.name or person.id for person in people}


def _listed(services: Sequence[str]) -> str:
    return ", ".join(f"`{service}`" for service in services)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
