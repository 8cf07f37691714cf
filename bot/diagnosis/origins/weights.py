"""What each kind of finding is worth, and how these figures were found."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from pydantic import Field

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.model import Model, Share


class Fit(Model):
    """The record of a fit: how, and on which cases."""

    how: str
    on: tuple[str, ...] = ()


class Sureness(Model):
    """A logistic function of the first suspect's score and of its margin over the second."""

    bias: float
    score: float
    margin: float


class OriginWeights(Model):
    """``own`` evidence cannot come from elsewhere; a ``symptom`` may be a callee's doing.

    Weights for what public cases do not show (databases, instances that are down, pools) are set by hand.
    """

    fitted: Fit
    own: dict[FindingKind, float]
    symptom: dict[FindingKind, float]
    explained: Share
    """The share of a symptom that a callee in as much trouble takes away."""
    coverage: float = Field(ge=0)
    """What explaining all that is wrong elsewhere adds, as a share of the score."""
    unreachable: Share
    """What is left of a service that does not lie behind the alert."""
    hearsay: Share
    """What is left of a leaf that only one caller's data shows, beside a service in as much trouble."""
    outside: Share
    """What symptoms are worth of an alerting service that is not in the call graph: they are the alert."""
    confidence: Sureness

    def of(self, kind: FindingKind) -> float:
        """Return what one kind of finding is worth at full strength."""
        return self.own.get(kind, self.symptom.get(kind, 0.0))


@lru_cache(maxsize=1)
def shipped() -> OriginWeights:
    """Read the weights that come with the package."""
    text = resources.files("bot.diagnosis.origins").joinpath("weights.json").read_text(encoding="utf-8")
    return OriginWeights.model_validate_json(text)
