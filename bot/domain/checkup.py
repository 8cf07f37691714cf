"""What a check of the surroundings found, and what to do about it."""

from __future__ import annotations

from typing import Literal

from bot.domain.model import Model


class CheckupItem(Model):
    """One line of a checkup; ``todo`` is what to do, if anything."""

    name: str
    state: Literal["ok", "warn", "bad"]
    text: str
    todo: str = ""


def good(name: str, text: str) -> CheckupItem:
    """Report that something is as it should be."""
    return CheckupItem(name=name, state="ok", text=text)


def doubtful(name: str, text: str, *, todo: str) -> CheckupItem:
    """Report that something is unknown or could be better."""
    return CheckupItem(name=name, state="warn", text=text, todo=todo)


def wrong(name: str, text: str, *, todo: str) -> CheckupItem:
    """Report that something will not work, or will lose data that must be kept."""
    return CheckupItem(name=name, state="bad", text=text, todo=todo)
