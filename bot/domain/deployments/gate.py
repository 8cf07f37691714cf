"""Gates: what may stop a deployment for now, and the form of each result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from bot.domain.deployments.checklist import ChecklistItem
from bot.domain.durations import Seconds
from bot.domain.model import Instant, JsonObject, Model, Name

GateName = Literal["freeze", "lock", "incident", "error_budget", "staging", "checklist"]
GateVerdict = Literal["proceed", "reject", "unknown"]


class Gates(Model):
    """How the gates of a service are set."""

    incident: bool = True
    """No deployment while an incident is open here, or at anything that it depends on."""
    error_budget: bool = True
    """No deployment while an error budget of the service's SLOs is spent."""
    staging_first: Name | None = None
    """The environment in which a version must have served before it is deployed here."""
    soak: Seconds = Field(default=0, ge=0)
    """For how long it must have served there, in seconds."""
    checklist: dict[Name, ChecklistItem] = Field(default_factory=dict)
    """What must be true of each version, by item, in the order in which it is asked."""
    waivable: frozenset[GateName] = frozenset({"freeze", "incident", "error_budget", "staging", "checklist"})
    """What an emergency opens; a person's lock is removed by people."""


class GateResult(Model):
    """The result of one gate; an unknown result does not let a deployment pass."""

    gate: GateName
    verdict: GateVerdict
    code: str
    """Stable, for machines; distinguishes the reasons for which one gate can be closed."""
    why: str
    """The rule and its reason, in a sentence for people."""
    way_out: str = ""
    """What would open it."""
    until: Instant | None = None
    """When it opens automatically; none if it does not, or if that is not known."""
    link: str = ""
    """The address of the message that keeps it closed, such as an alert's; empty if there is none."""
    waivable: bool = False
    waived_by: str = ""
    """Who or what opened it although it is closed."""

    @property
    def is_open(self) -> bool:
        """Return whether a deployment may pass."""
        return self.verdict == "proceed" or bool(self.waived_by)

    def under(self, gates: Gates) -> Self:
        """Return the result with a note of whether an emergency may open the gate."""
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
    """Let a deployment pass because there is nothing to check, and record that."""
    return GateResult(gate=gate, verdict="proceed", code="not_applicable", why=why)


def unknown(gate: GateName, *, why: str, way_out: str) -> GateResult:
    """Stop a deployment because it is not known whether it may pass."""
    return GateResult(gate=gate, verdict="unknown", code=f"{gate}_unknown", why=why, way_out=way_out)


def first_closed(rulings: Iterable[GateResult]) -> GateResult | None:
    """Find the first gate that is not open."""
    return next((ruling for ruling in rulings if not ruling.is_open), None)
