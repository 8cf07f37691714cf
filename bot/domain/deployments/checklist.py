"""The quality-gate checklist: what must be true of a version before it is deployed, and who confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.domain.model import Instant, JsonObject, Model, Name
from bot.domain.people import Person
from bot.domain.runs.runbook import Expression

MOST_NOTE = 300
"""The longest note or reason, in characters."""

_TITLES = {
    "tests": "Tests pass",
    "security_scan": "Security scan is clean",
    "coverage": "Coverage is high enough",
    "migration_tried": "Migration was tested",
    "secrets": "No secrets in the code",
    "image_scan": "Image scan is clean",
    "plan_documented": "The plan is documented",
    "rollback_tested": "Rollback was tested",
    "alerts_configured": "Alerts are configured",
    "team_told": "The team has been informed",
}


class ChecklistItem(Model):
    """One item: checked by a probe where it names one, else ticked by a person."""

    title: str = ""
    probe: str = ""
    arguments: JsonObject = Field(default_factory=dict, alias="with")
    """What the probe takes beside ``service``; templates may name ``service`` and ``version``."""
    expect: Expression | Literal[""] = ""
    """Holds where the item is done, such as ``result.value >= 0.8``."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.probe) != bool(self.expect):
            raise ValueError("`probe` and `expect` go together; without both, a person ticks the item")
        return self


class ItemMark(Model):
    """One person's mark on one item of one version; their latest mark on it counts."""

    item: Name
    kind: Literal["tick", "waiver", "withdrawn"]
    was: Literal["", "tick", "waiver"] = ""
    """What was withdrawn."""
    by: Person
    at: Instant
    text: str = Field(default="", max_length=MOST_NOTE)
    """A note, or why the item is waived."""


@dataclass(frozen=True, kw_only=True)
class ItemCheck:
    """A probe's result: done, not done, or none if it could not be determined."""

    ok: bool | None
    text: str


class ItemState(Model):
    """One item of a version as it stands."""

    item: Name
    title: str
    status: Literal["done", "waived", "open", "failed", "unknown"]
    """``open`` waits for a person; ``failed`` and ``unknown`` are a probe's results."""
    text: str = ""
    by: Person | None = None
    """Who ticked or waived it."""

    @property
    def holds_up(self) -> bool:
        """Return whether a deployment has to wait for it."""
        return self.status not in {"done", "waived"}


def title_of(name: str, item: ChecklistItem) -> str:
    """Name an item for people."""
    return item.title or _TITLES.get(name) or name.replace("_", " ").replace("-", " ").capitalize()


def state_of(
    name: str,
    item: ChecklistItem,
    *,
    marks: Sequence[ItemMark],
    seen: ItemCheck | None,
    requester: Person | None,
) -> ItemState:
    """Return the state of an item.

    A tick counts only where no probe is asked, and a person cannot waive an item for their own deployment:
    ``requester`` is who asked for it, none before anyone has.
    """
    state = ItemState(item=name, title=title_of(name, item), status="open")
    own = [mark for mark in marks if mark.item == name]
    ticks = [mark for mark in own if mark.kind == "tick"]
    waivers = [mark for mark in own if mark.kind == "waiver"]
    by_others = [mark for mark in waivers if requester is None or mark.by.id != requester.id]
    if seen is not None and seen.ok:
        return state.but(status="done", text=seen.text)
    if seen is None and ticks:
        return state.but(status="done", text=ticks[-1].text, by=ticks[-1].by)
    if by_others:
        return state.but(status="waived", text=by_others[-1].text, by=by_others[-1].by)
    if seen is not None:
        state = state.but(status="unknown" if seen.ok is None else "failed", text=seen.text)
    if waivers:
        alone = "waived only by the person who asks for the deployment"
        return state.but(text=f"{state.text}; {alone}" if state.text else alone)
    return state
