"""Why a change cannot be to blame: by place, by timing, by what it brought, or as it was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.diagnosis.changes.evidence import ChangeEvidence, precedes
from bot.diagnosis.changes.inspection import innocent
from bot.diagnosis.changes.wording import describe
from bot.diagnosis.ranking.situation import Situation
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import duration


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether a change can be to blame."""

    evidence: ChangeEvidence
    alibi: str
    """Why it cannot; empty where it can."""
    later: tuple[Finding, ...]
    """The changes of the same thing that came between it and the trouble, the first one first."""

    @property
    def is_possible(self) -> bool:
        """Whether it can be to blame; one that was replaced, only if all later ones build on it."""
        return not self.alibi and all(_builds_on(other, self.evidence.change) for other in self.later)

    @property
    def why_not(self) -> str:
        """Return why it is not suspected, for one that is not."""
        return self.alibi or f"it was no longer in force: the {describe(self.later[0])} replaced it"


def standings(scene: Situation, gathered: Iterable[ChangeEvidence]) -> tuple[Standing, ...]:
    """Return for each change whether it can be to blame, in the order given."""
    by_id = {evidence.change.id: evidence for evidence in gathered}
    return tuple(
        Standing(evidence=each, alibi=_alibi(scene, each), later=_replaced_by(scene, each, by_id))
        for each in by_id.values()
    )


def _alibi(scene: Situation, evidence: ChangeEvidence) -> str:
    change = evidence.change
    if not scene.impaired(change.service):
        return f"{change.service} shows no unusual errors or delays"
    if evidence.gap_s is not None and evidence.fits == 0:
        return f"it came {duration(-evidence.gap_s)} after the trouble of {change.service} began"
    if change.kind is FindingKind.CHANGE_OTHER or change.data.get("change_kind") == "rollback":
        return "it is a remedy, not a new change"
    return _innocent(scene, evidence)


def _innocent(scene: Situation, evidence: ChangeEvidence) -> str:
    """Return why a release's content is not to blame; its build may be, if another version is well."""
    why = innocent(scene, evidence.change)
    return "" if why and evidence.traces else why


def _replaced_by(
    scene: Situation, evidence: ChangeEvidence, by_id: Mapping[str, ChangeEvidence]
) -> tuple[Finding, ...]:
    # Of a release that is recorded several times, only one record was gathered.
    rivals = [by_id[other.id] for other in evidence.rivals if other.id in by_id]
    later = [
        rival.change
        for rival in rivals
        if rival.gap_s is not None and rival.gap_s >= 0
        # A release without content of its own builds on what was there.
        if precedes(evidence.change, rival.change) and not _innocent(scene, rival)
    ]
    return tuple(sorted(later, key=lambda f: (f.began_at, f.id)))


def _builds_on(later: Finding, change: Finding) -> bool:
    """Return whether a later release is known to have taken nothing away of what an earlier one brought."""
    return "commits" in change.data and later.data.get("commits_removed") == 0
