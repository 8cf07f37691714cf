"""A suspicion and what speaks for and against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.diagnosis.ranking.situation import Situation, noisy_or
from bot.domain.diagnoses.diagnosis import Cause, CauseKind
from bot.domain.diagnoses.finding import Finding
from bot.domain.model import JsonObject

_CAP = 0.97
_UNREAD = 0.95
_UNREAD_DECISIVE = 0.85
_OUT_OF_REACH = 0.6
_EXPLAINED_SOFTNESS = 0.15


@dataclass(frozen=True, kw_only=True)
class Support:
    """A finding that speaks for a suspicion; ``weight`` is the chance that it alone would be right."""

    finding: Finding
    weight: float


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A fact that speaks against a suspicion and what it leaves of the confidence, as a factor.

    One without a text only counts: it is nothing that a reader could look up.
    """

    text: str
    factor: float


@dataclass(kw_only=True)
class Suspect:
    """A candidate cause; ``decisive`` names the sources without which it can hardly be judged."""

    kind: CauseKind
    service: str
    summary: str
    component: str = ""
    began_at: datetime | None = None
    data: JsonObject = field(default_factory=dict)
    supports: list[Support] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    decisive: frozenset[str] = frozenset()
    cap: float = _CAP
    weighed: float | None = None
    """The belief, where all its evidence was weighed together elsewhere."""

    def support(self, findings: Iterable[Finding], weight: float) -> None:
        """Count findings for it, each by its strength."""
        self.supports.extend(
            Support(finding=finding, weight=weight * finding.strength) for finding in findings if weight > 0
        )

    def doubt(self, text: str, factor: float) -> None:
        """Count a fact against it."""
        self.doubts.append(Doubt(text=text, factor=factor))

    def belief(self, *, without: str = "") -> float:
        """Return the confidence before doubts: noisy-or over the sources, the best reason of each.

        Two reasons from one source are not independent, so only its best one counts.  ``without`` names a
        source that is left out.
        """
        if self.weighed is not None:
            return self.weighed
        best: dict[str, float] = {}
        for support in self.supports:
            source = support.finding.source
            if source != without:
                best[source] = max(best.get(source, 0.0), support.weight)
        return noisy_or(best.values())

    def judged(self, scene: Situation, *, without: str = "") -> float:
        """Return the belief, reduced by the doubts, at most 0.97, as if every source had been read.

        This is what one suspicion takes from another; were the unread sources to count here, each of them
        would make the others surer.
        """
        judged = min(self.belief(without=without), self.cap)
        for doubt in self.doubts:
            judged *= doubt.factor
        if not (self.service == scene.service or scene.is_in_trouble):
            judged *= _OUT_OF_REACH
        return judged

    def confidence(self, scene: Situation, *, without: str = "") -> float:
        """Return what is left of ``judged`` by the sources that could not be read."""
        confidence = self.judged(scene, without=without)
        for source in scene.unread:
            confidence *= _UNREAD_DECISIVE if source.name in self.decisive else _UNREAD
        return round(confidence, 4)

    def cause(self, scene: Situation) -> Cause:
        """Return it as a cause of the diagnosis, with the evidence strongest first."""
        ordered = sorted(self.supports, key=lambda support: (-support.weight, support.finding.id))
        unread = [s.name for s in scene.unread if s.name in self.decisive]
        doubts = sorted(self.doubts, key=lambda doubt: doubt.factor)
        against = [doubt.text for doubt in doubts if doubt.text]
        against.extend(f"{name} would decide it but could not be read" for name in unread)
        return Cause(
            kind=self.kind,
            service=self.service,
            component=self.component,
            summary=self.summary,
            confidence=self.confidence(scene),
            evidence=tuple(dict.fromkeys(s.finding.id for s in ordered if can_be_shown(s.finding))),
            against=tuple(dict.fromkeys(against)),
            began_at=self.began_at,
            data=self.data,
        )


def can_be_shown(finding: Finding) -> bool:
    """Return whether a finding is convincing on its own; otherwise it only adds a little to the figures."""
    return finding.data.get("telling") is not False


def unexplained(share: float) -> float:
    """Turn the share of trouble that something else explains into a factor.

    One that leaves half of it unexplained hardly matters, as two things may be wrong at once; one that
    explains it all leaves nothing: ``1.15 * u / (u + 0.15)`` with ``u`` the unexplained share.
    """
    left = min(max(1.0 - share, 0.0), 1.0)
    return (1 + _EXPLAINED_SOFTNESS) * left / (left + _EXPLAINED_SOFTNESS)
