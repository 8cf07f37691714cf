"""Gates: what may say "not now" to a deployment, and how each says it."""

from __future__ import annotations

from typing import Literal, Self

from bot.domain.model import Instant, JsonObject, Model

GateName = Literal["freeze"]
Ruled = Literal["proceed", "reject", "unknown"]


class Gates(Model):
    """How the gates of a service are set."""

    waivable: frozenset[GateName] = frozenset({"freeze"})
    """What an emergency opens."""


class Ruling(Model):
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

    def under(self, gates: Gates) -> Self:
        """Say whether an emergency may open it."""
        return self.but(waivable=self.gate in gates.waivable)

    def as_data(self) -> JsonObject:
        """Write it as plain data, for cards and templates."""
        return self.model_dump(mode="json")


def proceed(gate: GateName, why: str, *, code: str = "open") -> Ruling:
    """Let a deployment pass."""
    return Ruling(gate=gate, verdict="proceed", code=code, why=why)


def reject(gate: GateName, *, code: str, why: str, way_out: str, until: Instant | None = None) -> Ruling:
    """Close the gate."""
    return Ruling(gate=gate, verdict="reject", code=code, why=why, way_out=way_out, until=until)
