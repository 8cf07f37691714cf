"""Gates: what may say "not now" to a deployment, and how each says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from bot.domain.deployments.checklist import ChecklistItem
from bot.domain.durations import Seconds
from bot.domain.model import Instant, JsonObject, Model, Name

GateName = Literal["freeze", "lock", "incident", "error_budget", "staging", "checklist"]
Ruled = Literal["proceed", "reject", "unknown"]


class Gates(Model):
    """How the gates of a service are set."""

    incident: bool = True
    """No deployment while an incident is open here, or at anything that it stands on."""
    error_budget: bool = True
    """No deployment while an error budget of the service's SLOs is spent."""
    staging_first: Name | None = None
    """The environment in which a version must have served before it is deployed here."""
    soak: Seconds = Field(default=0, ge=0)
    """For how long it must have served there, in seconds."""
    checklist: dict[Name, ChecklistItem] = Field(default_factory=dict)
    """What must be true of each version, by item, in the order in which it is asked."""
    waivable: frozenset[GateName] = frozenset({"freeze", "incident", "error_budget", "staging", "checklist"})
    """What an emergency opens; a person's lock is opened by people."""


class GateResult(Model):
    """What one gate says; not to know is not to proceed."""

    gate: GateName
    verdict: Ruled
    code: str
    """Stable, for machines; tells gates apart that are closed for different reasons."""
    why: str
    """The rule and its reason, in a sentence for people."""
    way_out: str = ""
    """What would open it."""
    until: Instant | None = None
    """When it opens by itself; none if it does not, or nobody can tell."""
    waivable: bool = False
    waived_by: str = ""
    """Who or what opened it although it is closed."""

    @property
    def is_open(self) -> bool:
        """Tell whether a deployment may pass."""
        return self.verdict == "proceed" or bool(self.waived_by)

    def under(self, gates: Gates) -> Self:
        """Say whether an emergency may open it."""
        return self.but(waivable=self.gate in gates.waivable)

    def waived_for(self, emergency: str) -> Self:
        """Open it for an emergency, where that may be; the verdict stays as it was, for the record."""
        if self.is_open or not self.waivable or not emergency.strip():
            return self
        return self.but(waived_by=f"emergency: {emergency.strip()}")

    def as_data(self) -> JsonObject:
        """Write it as plain data, for cards and templates."""
        return self.model_dump(mode="json")


def proceed(gate: GateName, why: str) -> GateResult:
    """Let a deployment pass."""
    return GateResult(gate=gate, verdict="proceed", code="open", why=why)


def reject(gate: GateName, *, code: str, why: str, way_out: str, until: Instant | None = None) -> GateResult:
    """Close the gate."""
    return GateResult(gate=gate, verdict="reject", code=code, why=why, way_out=way_out, until=until)


def not_asked(gate: GateName, why: str) -> GateResult:
    """Let a deployment pass where there is nothing to ask, and say that."""
    return GateResult(gate=gate, verdict="proceed", code="not_applicable", why=why)


def unknown(gate: GateName, *, why: str, way_out: str) -> GateResult:
    """Say that it cannot be told whether a deployment may pass: so it may not."""
    return GateResult(gate=gate, verdict="unknown", code=f"{gate}_unknown", why=why, way_out=way_out)


def first_closed(rulings: Iterable[GateResult]) -> GateResult | None:
    """Find the first gate that is not open."""
    return next((ruling for ruling in rulings if not ruling.is_open), None)
