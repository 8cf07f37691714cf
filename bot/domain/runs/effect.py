"""What an action is given and what it gives back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.domain.diagnoses.change import Change
from bot.domain.model import JsonObject, Model


class Effect(Model):
    """One intended outside effect: do it at most once, and not when ``epoch`` is stale."""

    key: str
    """The idempotency key: the same for every try of the same step of the same run."""
    epoch: int
    """The fencing token: a target that has seen a higher one refuses this one."""


class ActionResult(Model):
    """An action's result; ``before`` is what its undo needs."""

    type: Literal["done"] = "done"
    summary: str
    """What happened, in the past tense, for the thread."""
    changed: bool = True
    """False when the world already was as asked."""
    before: JsonObject = Field(default_factory=dict)
    after: JsonObject = Field(default_factory=dict)
    change: Change | None = None
    """The entry for the change ledger; none when nothing changed."""
