"""The deploy locks of services, as text."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.deploy_lock import DeployLock
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
    until = f"{lock.until:%Y-%m-%d %H:%M} UTC"
    reason = prose(lock.reason.rstrip("."), 600)
    return f"{who(lock.by)} has locked {code(lock.service, 140)} until {until}: {reason}"
