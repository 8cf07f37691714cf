"""A phase among the others of its runbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.nearest import did_you_mean
from bot.loader.schema_errors import PhaseDraft
from bot.loader.template_refs import TemplatePlace
from bot.loader.yaml_positions import Where


@dataclass(frozen=True, kw_only=True)
class PhasePosition:
    """A phase among the others."""

    spot: TemplatePlace
    all: tuple[PhaseDraft, ...]
    index: int

    @property
    def earlier(self) -> tuple[PhaseDraft, ...]:
        """The phases before this one."""
        return self.all[: self.index]

    def find(self, field: str, name: str, kinds: Sequence[str], *, later: bool = False) -> PhaseDraft | None:
        """Return the phase that ``field`` names: an earlier one, or a later one, of one of these kinds."""
        return self.find_at((field,), name, kinds, later=later)

    def find_at(
        self, where: Where, name: str, kinds: Sequence[str], *, later: bool = False
    ) -> PhaseDraft | None:
        """Return the phase as ``find`` does, for a name at a deeper place."""
        spot = self.spot.at(*where)
        wanted = " or ".join(f"`{kind}`" for kind in kinds)
        side = self.all[self.index + 1 :] if later else self.earlier
        found = next((other for other in self.all if other.id == name), None)
        if found is None:
            known = [other.id for other in side if other.kind in kinds]
            spot.report(f"no phase is called `{name}`{did_you_mean(name, known)}")
        elif found.kind not in kinds:
            spot.report(f"`{name}` is a `{found.kind}` phase; it must be a {wanted}")
        elif found not in side:
            spot.report(f"`{name}` must come {'after' if later else 'before'} this phase")
        else:
            return found
        return None
