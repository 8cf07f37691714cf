"""Whether failures keep to the version that a deploy brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.diagnosis.ranking.situation import Situation, number
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.model import JsonObject, JsonValue

_LEAST_LINES = 10
_LEAST_FAILURES = 3
_SAME_SHARE = 0.5
_SETTLED_LINES = 30
_OVERLAP = timedelta(seconds=5)
_SETTLED = timedelta(seconds=20)
_IN_TURN = 0.7
_TEMPLATES = (FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_GROWING)
BESIDE = 1.0
"""The value of a split between versions that ran at the same time."""


@dataclass(frozen=True, kw_only=True)
class VersionSplit:
    """Whether failures keep to a version: 1 surely, 0 cannot be said, -1 surely not; and who says so."""

    value: float
    finding: Finding

    @property
    def is_own(self) -> bool:
        """Whether a single message keeps to the version, whatever else fails."""
        return self.value > 0 and self.finding.kind in _TEMPLATES


def version_splits(scene: Situation, change: Finding) -> list[VersionSplit]:
    """Tell from logs and from metrics whether failures keep to the version that a deploy brought."""
    version = change.component
    found = _of_lines(scene, change.service, version)
    by_version = [f for f in scene.of(change.service, FindingKind.ERROR_RATE_UP) if f.component]
    found.extend(
        VersionSplit(value=_split_of_rates(finding), finding=finding)
        for finding in by_version
        if finding.component == version
    )
    if by_version and not any(f.component == version for f in by_version):
        found.append(VersionSplit(value=-1.0, finding=by_version[0]))
    return [split for split in found if split.value != 0]


def _of_lines(scene: Situation, service: str, version: str) -> list[VersionSplit]:
    """Tell from the error lines; where they are of several kinds, from those that are laid on nobody else.

    With two faults at once all versions fail, and only one of them says what its own fault makes it say.
    """
    errors = [f for f in scene.of(service, FindingKind.LOG_ERRORS) if scene.harmful(f)]
    own = [f for f in scene.of(service, *_TEMPLATES) if scene.harmful(f) and not f.data.get("mentions")]
    split = [VersionSplit(value=_split_of_lines(finding, version), finding=finding) for finding in own]
    kept = [each for each in split if each.is_own]
    mixed = [f for f in errors if f.data.get("mentions")]
    if split and mixed:
        return kept or [max(split, key=lambda each: each.value)]
    return [*(VersionSplit(value=_split_of_lines(f, version), finding=f) for f in errors), *kept]


def _split_of_lines(finding: Finding, version: str) -> float:
    versions = finding.data.get("versions")
    if not isinstance(versions, dict) or not isinstance(versions.get(version), dict):
        return 0.0
    counts = {name: _counts(entry) for name, entry in versions.items()}
    new, old = counts[version], [count for name, count in counts.items() if name != version]
    these, since, before = (sum(count[place] for count in old) for place in range(3))
    if new[0] < _LEAST_FAILURES:
        return -1.0 if these >= _LEAST_FAILURES else 0.0
    share_new, share_old = new[0] / max(1, new[1]), these / max(1, since)
    if since >= _LEAST_LINES:
        if share_old >= _SAME_SHARE * share_new:
            return -1.0
        return BESIDE if share_old < _SAME_SHARE * share_new / 2 else 0.0
    # The old version no longer ran: that it was fine before says less, and nothing where the new one was
    # fine for a while as well.
    fresh = new[2] < _SETTLED_LINES
    return _IN_TURN if fresh and before >= _LEAST_LINES and these == 0 else 0.0


def _counts(entry: JsonValue) -> tuple[float, float, float]:
    data: JsonObject = entry if isinstance(entry, dict) else {}
    these, since, before = (number(data.get(key, 0)) or 0.0 for key in ("these", "all", "all_before"))
    return these, since, before


def _split_of_rates(finding: Finding) -> float:
    versions = finding.data.get("versions")
    value = number(finding.data.get("value"))
    if not isinstance(versions, dict) or finding.component not in versions or not value:
        return 0.0
    others = [
        entry for name, entry in versions.items() if name != finding.component and isinstance(entry, dict)
    ]
    rates = [rate for entry in others if (rate := number(entry.get("error_ratio"))) is not None]
    if not rates:
        return 0.0
    if max(rates) >= _SAME_SHARE * value:
        return -1.0
    if any(_ran_beside(finding, entry) for entry in others):
        return BESIDE
    return 0.0 if _ran_well_first(finding, versions[finding.component]) else _IN_TURN


def _ran_beside(finding: Finding, other: JsonObject) -> bool:
    last_at = other.get("last_at")
    if finding.began_at is None or not isinstance(last_at, str):
        return False
    return datetime.fromisoformat(last_at) > finding.began_at + _OVERLAP


def _ran_well_first(finding: Finding, own: JsonValue) -> bool:
    first_at = own.get("first_at") if isinstance(own, dict) else None
    if finding.began_at is None or not isinstance(first_at, str):
        return False
    return finding.began_at > datetime.fromisoformat(first_at) + _SETTLED
