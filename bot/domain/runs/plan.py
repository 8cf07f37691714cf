"""A plan: exactly what will change, bound by its hash."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from bot.domain.model import JsonObject, Model, Name
from bot.domain.runs.runbook import ApprovalPolicy, Check, Judging, PluginCall


class PlannedStep(Model):
    """One step with its arguments rendered; nothing is left to be decided."""

    id: Name
    title: str
    action: str = ""
    probe: str = ""
    arguments: JsonObject = Field(default_factory=dict)
    timeout_s: float = 10
    undo: PluginCall | None = None
    """Rendered at the moment of undoing: it may refer to ``result``."""
    no_undo: str = ""
    verify: tuple[Check, ...] = ()
    approval: ApprovalPolicy | None = None
    """A gate of the step's own, beside its pipeline's."""
    judge: Judging | None = None

    @property
    def plugin(self) -> str:
        """The plugin's name, whichever kind it is."""
        return self.action or self.probe


class SeenState(Model):
    """What served when a plan was made; the digest of the plan covers it."""

    arguments: JsonObject
    """What ``deploy.observe`` was asked with."""
    stable: str
    candidate: str
    """Both are versions; empty where there is none, or several."""
    only_stable: bool = False
    """Whether the candidate does not matter, as for a rollback."""


class RenderedPlan(Model):
    """What people approve: prose and data, one hash over the data."""

    type: Literal["plan"] = "plan"
    summary: str
    risk: str = ""
    steps: tuple[PlannedStep, ...] = ()
    verify: tuple[Check, ...] = ()
    why_empty: str = ""
    """Why there is nothing to do, where there is nothing."""
    seen: SeenState | None = None
    """What served at that time, if the run read it; if something else serves now, the approval is void."""
    pinned_digest: str = ""
    """The digest when the plan was rendered: newer code, whose plans have more fields, does not change it."""

    def pinned(self) -> RenderedPlan:
        """Return the plan with its digest recorded."""
        return self.model_copy(update={"pinned_digest": self.digest})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of everything that will be done, in hex."""
        if self.pinned_digest:
            return self.pinned_digest
        data = self.model_dump(mode="json", by_alias=True, exclude={"summary", "risk", "pinned_digest"})
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
