"""What is known of each change on its own: when it came, and how specifically the failures point at it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.diagnosis.ranking.situation import CHANGES, TEMPLATES, Situation, number
from bot.diagnosis.ranking.symptoms import LINES, strings
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.model import JsonObject, JsonValue

TIMING_UNKNOWN = 0.5
"""The timing score if the time of a change, or of the trouble, is unknown."""

_SLACK_S = 20.0
_AT_ONCE_S = 120.0
_FADES_S = 900.0
_LEAST_TIMING = 0.1
_LATE_TIMING = 0.7
_BESIDE = 1.0
"""The value of a split between versions that ran at the same time."""
_LEAST_LINES = 10
_LEAST_FAILURES = 3
_SAME_SHARE = 0.5
_SETTLED_LINES = 30
_OVERLAP = timedelta(seconds=5)
_SETTLED = timedelta(seconds=20)
_IN_TURN = 0.7
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Whether failures keep to a version: 1 surely, 0 unknown, -1 surely not; with the finding for it."""

    value: float
    finding: Finding

    @property
    def is_own(self) -> bool:
        """Whether a single message keeps to the version, whatever else fails."""
        return self.value > 0 and self.finding.kind in TEMPLATES


@dataclass(frozen=True, kw_only=True)
class ChangeEvidence:
    """A change of the scope and what is known of it, whatever else was changed."""

    change: Finding
    gap_s: float | None
    """Seconds from the change to the trouble of its service, negative if it came later; none if not known.

    Where its service was in trouble already, and part of the failures is its own, to the first of these.
    """
    lines: tuple[Finding, ...]
    """What the lines of its service complain of."""
    splits: tuple[Split, ...]
    """Of a release: whether failures keep to the version that it brought."""
    traces: float
    """How specifically the failures point at this very change, 0 to 1."""
    own: float
    """How surely a part of the failures is its own, 0 to 1, where others come from what its service calls."""
    undone_by: Finding | None
    """The later change after which things are as they were before this one."""
    rivals: tuple[Finding, ...]
    """The other changes of the same thing: to another version of the service, or of the same key."""

    @property
    def is_release(self) -> bool:
        """Whether it brought a version, and not a setting."""
        return self.change.kind is FindingKind.CHANGE_DEPLOY

    @property
    def fits(self) -> float:
        """How well its moment fits the trouble: 1 just before, fading with the gap, 0 after it.

        Within 2 min full; beyond, ``exp(-(gap - 120 s) / 900 s)`` but at least 0.1, as some faults sleep.
        Up to 20 s after the onset still counts (0.7): ledgers are written late, and onsets are read from
        windows.
        """
        if self.gap_s is None:
            return TIMING_UNKNOWN
        if self.gap_s < -_SLACK_S:
            return 0.0
        if self.gap_s < 0:
            return _LATE_TIMING
        return max(_LEAST_TIMING, min(1.0, math.exp(-(self.gap_s - _AT_ONCE_S) / _FADES_S)))


def gather(scene: Situation) -> tuple[ChangeEvidence, ...]:
    """Gather what is known of each change of the scope, in the order of the findings.

    A release that is recorded several times is one change: the steps of a deployment each leave a record, and
    two sources may both report it.
    """
    changes = [f for f in scene.findings if f.kind in CHANGES and f.service in scene.scope]
    known = [_evidence(scene, change) for change in changes]
    kept = {max(records, key=_nearest).change.id for records in _releases(known)}
    return tuple(each for each in known if not each.is_release or each.change.id in kept)


def _releases(known: Sequence[ChangeEvidence]) -> Iterator[list[ChangeEvidence]]:
    """Yield the records of each release: of one version of a service, with no other version in between."""
    records = [each for each in known if each.is_release]
    records.sort(key=lambda each: (each.change.service, each.change.began_at is None, _moment(each)))
    for _, same in itertools.groupby(records, key=lambda each: (each.change.service, each.change.component)):
        yield list(same)


def _nearest(record: ChangeEvidence) -> tuple[float, float]:
    """Order the records of one release: the one whose moment fits the trouble best, else the latest."""
    return record.fits, _moment(record)


def _moment(record: ChangeEvidence) -> float:
    return record.change.began_at.timestamp() if record.change.began_at else 0.0


def precedes(one: Finding, other: Finding) -> bool:
    """Return whether one came before the other, as far as both moments are known."""
    return one.began_at is not None and other.began_at is not None and one.began_at < other.began_at


def speaks_of(lines: Finding, change: Finding) -> float:
    """Return whether lines hold the new value near words of its key: ``within 5 ms``, ``bank_timeout_ms``."""
    key = set(_WORD.findall(change.component.lower()))
    value = str(change.data.get("after", "")).strip().lower()
    best = 0.0
    for sample in strings(lines, "samples"):
        words = set(_WORD.findall(sample.lower()))
        named = bool(key & words)
        if named and value and value in words:
            best = max(best, 1.0)
        elif change.component.lower() in sample.lower():
            best = max(best, 0.8)
    return best


def _evidence(scene: Situation, change: Finding) -> ChangeEvidence:
    release = change.kind is FindingKind.CHANGE_DEPLOY
    lines = tuple(f for f in scene.of(change.service, *LINES) if scene.harmful(f))
    splits = tuple(_version_splits(scene, change)) if release else ()
    own = _own(change, lines, splits)
    return ChangeEvidence(
        change=change,
        gap_s=_gap_to_own(change, scene.onset(change.service), own),
        lines=lines,
        splits=splits,
        traces=_kept_apart(splits) if release else max((speaks_of(f, change) for f in lines), default=0.0),
        own=max((share for _, share in own), default=0.0),
        undone_by=_undone_by(scene, change),
        rivals=tuple(
            other
            for other in scene.of(change.service, change.kind)
            if other.id != change.id and (other.component != change.component) is release
        ),
    )


def _own(change: Finding, lines: Sequence[Finding], splits: Sequence[Split]) -> list[tuple[Finding, float]]:
    """List the messages that a change alone brought, each with how surely, 0 to 1.

    Only where the service's other errors name another service: it names those that are to blame, so that a
    message without a name is about itself.
    """
    if not any(f.kind is FindingKind.LOG_ERRORS and f.data.get("mentions") for f in lines):
        return []
    if change.kind is FindingKind.CHANGE_DEPLOY:
        return [(split.finding, split.value) for split in splits if split.is_own]
    return [(f, share) for f in lines if f.kind in TEMPLATES and (share := speaks_of(f, change)) > 0]


def _gap_to_own(
    change: Finding, onset: datetime | None, own: Sequence[tuple[Finding, float]]
) -> float | None:
    """Return the seconds from the change to the trouble, or to its own messages if it came into another's."""
    gap_s = _gap_s(change, onset)
    if gap_s is None or gap_s >= -_SLACK_S:
        return gap_s
    to_own = [gap for message, _ in own if (gap := _gap_s(change, message.began_at)) is not None]
    return max([gap_s, *(gap for gap in to_own if gap <= _AT_ONCE_S)])


def _undone_by(scene: Situation, change: Finding) -> Finding | None:
    """Return the last change of the same thing, if it restored what was there before this one."""
    same = [
        other
        for other in scene.of(change.service, change.kind)
        if precedes(change, other)
        and (change.kind is FindingKind.CHANGE_DEPLOY or other.component == change.component)
    ]
    last = max(same, key=lambda f: (f.began_at, f.id), default=None)
    if last is None:
        return None
    if change.kind is FindingKind.CHANGE_DEPLOY:
        returned = last.component != change.component and (
            last.data.get("change_kind") == "rollback"
            or last.component == change.data.get("previous_version")
        )
    else:
        returned = last.data.get("after") == change.data.get("before")
    return last if returned else None


def _gap_s(change: Finding, onset: datetime | None) -> float | None:
    if onset is None or change.began_at is None:
        return None
    return (onset - change.began_at).total_seconds()


def _kept_apart(splits: Sequence[Split]) -> float:
    values = [split.value for split in splits]
    return 1.0 if values and min(values) > 0 and max(values) >= _BESIDE else 0.0


def _version_splits(scene: Situation, change: Finding) -> list[Split]:
    """Compare versions by logs and by metrics: whether failures keep to the version that a deploy brought."""
    version = change.component
    found = _of_lines(scene, change.service, version)
    by_version = [f for f in scene.of(change.service, FindingKind.ERROR_RATE_UP) if f.component]
    found.extend(
        Split(value=_split_of_rates(finding), finding=finding)
        for finding in by_version
        if finding.component == version
    )
    if by_version and not any(f.component == version for f in by_version):
        found.append(Split(value=-1.0, finding=by_version[0]))
    return [split for split in found if split.value != 0]


def _of_lines(scene: Situation, service: str, version: str) -> list[Split]:
    """Compare versions by the error lines; with several kinds, by those that do not blame another service.

    With two faults at once all versions fail, and only one of them logs the message of its own fault.
    """
    errors = [f for f in scene.of(service, FindingKind.LOG_ERRORS) if scene.harmful(f)]
    own = [f for f in scene.of(service, *TEMPLATES) if scene.harmful(f) and not f.data.get("mentions")]
    split = [Split(value=_split_of_lines(finding, version), finding=finding) for finding in own]
    kept = [each for each in split if each.is_own]
    mixed = [f for f in errors if f.data.get("mentions")]
    if split and mixed:
        return kept or [max(split, key=lambda each: each.value)]
    return [*(Split(value=_split_of_lines(f, version), finding=f) for f in errors), *kept]


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
        return _BESIDE if share_old < _SAME_SHARE * share_new / 2 else 0.0
    # The old version no longer ran: that it was fine before is weaker evidence, and none if the new
    # one was fine for a while as well.
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
        return _BESIDE
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
