"""Suspicions against changes: by place, by timing and by what they do, never by recency alone."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.analysis.change_words import LIKELY, deploy_summary, describe, fails, gap_words, just_before
from bot.analysis.inspections import Inspection, innocent, inspect
from bot.analysis.scene import CHANGES, Scene, noisy_or
from bot.analysis.scene_symptoms import LINES, strings
from bot.analysis.suspects import Suspect, unexplained
from bot.analysis.version_splits import BESIDE, version_splits
from bot.analysis.words import figure, span
from bot.domain.diagnosis import CauseKind, RuledOut
from bot.domain.finding import Finding, FindingKind
from bot.domain.model import JsonObject

_SLACK_S = 20.0
_AT_ONCE_S = 120.0
_FADES_S = 900.0
_LEAST_TIMING = 0.1
_TIMING_UNKNOWN = 0.5
_LATE_TIMING = 0.7
_MECHANISM_EXPLAINS = 0.8
_STOOD_S = 5.0
_FARTHER = 3.0
_STOOD = 0.7
_PUT_BACK = 0.7
_TIMED, _DONE = 0.5, 0.75
_IDLE, _IDLE_LEAVES = 0.1, 0.7
_NOTHING_KNOWN = Inspection()
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")


def change_suspects(scene: Scene, mechanisms: Sequence[Suspect]) -> tuple[list[Suspect], list[RuledOut]]:
    """Turn each change of the scope into a suspicion, or say why it is none."""
    possible: list[Finding] = []
    dropped: list[RuledOut] = []
    for change in (f for f in scene.findings if f.kind in CHANGES and f.service in scene.scope):
        why = _alibi(scene, change)
        if why:
            dropped.append(RuledOut(what=describe(change), why=why))
        else:
            possible.append(change)
    known = _inspected(scene, possible)
    suspects = []
    for change in possible:
        suspect = _suspect(scene, change, mechanisms, known.get(change.id, _NOTHING_KNOWN))
        _compete(scene, change, suspect, possible)
        suspects.append(suspect)
    return suspects, dropped


def _inspected(scene: Scene, possible: Sequence[Finding]) -> Mapping[str, Inspection]:
    """Inspect what changes do: those of one service are alternatives, of two both may be to blame."""
    of: defaultdict[str, list[Finding]] = defaultdict(list)
    for change in possible:
        of[change.service].append(change)
    return {key: found for own in of.values() for key, found in inspect(scene, own).items()}


def timing(change: Finding, onset: datetime | None) -> float:
    """Say how well a change's moment fits an onset: 1 just before, fading with the gap, 0 after it.

    Within 2 min full; beyond, ``exp(-(gap - 120 s) / 900 s)`` but at least 0.1, as some faults sleep.  Up to
    20 s after the onset still counts (0.7): ledgers are written late, and onsets are read from windows.
    """
    if onset is None or change.began_at is None:
        return _TIMING_UNKNOWN
    gap_s = (onset - change.began_at).total_seconds()
    if gap_s < -_SLACK_S:
        return 0.0
    if gap_s < 0:
        return _LATE_TIMING
    return max(_LEAST_TIMING, min(1.0, math.exp(-(gap_s - _AT_ONCE_S) / _FADES_S)))


def _alibi(scene: Scene, change: Finding) -> str:
    """Say why a change cannot be the cause; nothing if it can."""
    service = change.service
    if not scene.impaired(service):
        return f"{service} shows no more errors and no more delay than usual"
    onset = scene.onset(service)
    if onset is not None and change.began_at is not None and timing(change, onset) == 0:
        late = (change.began_at - onset).total_seconds()
        return f"it came {span(late)} after the trouble of {service} began"
    if change.kind is FindingKind.CHANGE_OTHER or change.data.get("change_kind") == "rollback":
        return "it is a remedy, not a novelty"
    return _innocent(scene, change) or _no_longer_in_force(scene, change, onset)


def _innocent(scene: Scene, change: Finding) -> str:
    """Say why what a release brought cannot be it; its build may be, if another version beside it is well."""
    why = innocent(scene, change)
    return "" if why and _content(scene, change) else why


def _no_longer_in_force(scene: Scene, change: Finding, onset: datetime | None) -> str:
    for later in _rivals(scene, change):
        in_time = onset is not None and later.began_at is not None and later.began_at <= onset
        # What brought nothing of its own stands on what was there.
        if in_time and _precedes(change, later) and not _innocent(scene, later):
            return f"it was no longer in force: then came the {describe(later)}"
    return ""


def _rivals(scene: Scene, change: Finding) -> list[Finding]:
    """List the other changes of the same thing: to another version of the service, or of the same key."""
    deploy = change.kind is FindingKind.CHANGE_DEPLOY
    return [
        other
        for other in scene.of(change.service, change.kind)
        if other.id != change.id and (other.component != change.component) is deploy
    ]


def _precedes(one: Finding, other: Finding) -> bool:
    return one.began_at is not None and other.began_at is not None and one.began_at < other.began_at


def _suspect(scene: Scene, change: Finding, mechanisms: Sequence[Suspect], inspection: Inspection) -> Suspect:
    fits = timing(change, scene.onset(change.service))
    deploy = change.kind is FindingKind.CHANGE_DEPLOY
    suspect = _deploy(scene, change, fits, inspection) if deploy else _setting(scene, change, fits)
    content = max(_content(scene, change), inspection.speaks * inspection.chance)
    if inspection.chance >= LIKELY:
        suspect.support([change], noisy_or((_TIMED * fits, _DONE * inspection.chance)))
    share = scene.explained(change.service)
    if share > 0:
        culprit = max(
            scene.catalogue.get(change.service).depends_on,
            key=lambda name: (scene.explained_by(change.service, name), name),
        )
        text = f"{figure(share, 'ratio')} of the trouble of {change.service} comes from {culprit}"
        # What is below hits all versions alike; a setting may well be about what is below.
        suspect.doubt(text, unexplained(share * (1 - content) if deploy else share))
    here = [m for m in mechanisms if m.service == change.service and m.kind is not CauseKind.SERVICE_DOWN]
    strongest = max(here, key=lambda m: m.judged(scene), default=None)
    if strongest is not None:
        explains = strongest.judged(scene) * (1 - content)
        caused = (
            deploy and strongest.kind is CauseKind.SATURATION and strongest.component in {"cpu", "memory"}
        )
        if caused:
            _release_that_hogs(scene, suspect, strongest, fits)
        else:
            suspect.doubt(strongest.summary, 1 - _MECHANISM_EXPLAINS * explains)
    return suspect


def _compete(scene: Scene, change: Finding, suspect: Suspect, suspected: Sequence[Finding]) -> None:
    """Doubt what had stood without harm until another change came, and what only put an old value back."""
    onset = scene.onset(change.service)
    gap_s = _gap_s(change, onset)
    near_s = min(
        (
            abs(other_s)
            for c in suspected
            if c.service == change.service
            for other_s in [_gap_s(c, onset)]
            if other_s is not None
        ),
        default=None,
    )
    if gap_s is not None and near_s is not None and gap_s > _STOOD_S + _FARTHER * near_s:
        suspect.doubt(f"it stood for {span(gap_s)} without harm until another change came", _STOOD)
    if _puts_back(scene, change):
        suspect.doubt("it put back the value that had been in force before", _PUT_BACK)


def _gap_s(change: Finding, onset: datetime | None) -> float | None:
    if onset is None or change.began_at is None:
        return None
    return (onset - change.began_at).total_seconds()


def _puts_back(scene: Scene, change: Finding) -> bool:
    """Whether a setting was given the value that it had before all the changes that are known."""
    if change.kind is FindingKind.CHANGE_DEPLOY:
        return False
    earlier = [other for other in _rivals(scene, change) if _precedes(other, change)]
    first = min(earlier, key=lambda f: (f.began_at is None, f.began_at, f.id), default=None)
    return first is not None and first.data.get("before") == change.data.get("after")


def _release_that_hogs(scene: Scene, suspect: Suspect, hog: Suspect, fits: float) -> None:
    # A release that came with the load is its likelier cause than chance; one long before is not.
    kinds = (FindingKind.CPU_HIGH, FindingKind.MEMORY_HIGH)
    suspect.support(scene.of(suspect.service, *kinds), 0.4 * fits)
    hog.doubt(f"it began with the release of {suspect.service} {suspect.component}", 1 - 0.4 * fits)
    suspect.doubt(hog.summary, 0.5 + 0.5 * fits)


def _deploy(scene: Scene, change: Finding, fits: float, inspection: Inspection) -> Suspect:
    service, version = change.service, change.component
    previous = str(change.data.get("previous_version") or "")
    suspect = Suspect(
        kind=CauseKind.BAD_RELEASE,
        service=service,
        component=version,
        summary=deploy_summary(scene, change, inspection),
        began_at=change.began_at,
        data={
            "version": version,
            "previous_version": previous,
            "deploy_id": change.data.get("change_id"),
            "link": change.data.get("link"),
            **_blamed(inspection),
        },
        decisive=frozenset({"metrics", "logs"}),
    )
    suspect.support([change], _TIMED * fits)
    suspect.support(scene.of(service, FindingKind.ERROR_RATE_UP), 0.4 * fits)
    suspect.support(scene.of(service, FindingKind.LATENCY_UP), 0.25 * fits)
    suspect.support(_own_lines(scene, service), 0.4 * fits)
    splits = version_splits(scene, change)
    for split in splits:
        suspect.support([split.finding], 0.75 * max(0.0, split.value))
    if any(split.value < 0 for split in splits):
        suspect.doubt(f"other versions of {service} fail as well", 0.25)
    if inspection.worst <= _IDLE and not _content(scene, change):
        suspect.doubt("nothing that it brought is apt to break anything", _IDLE_LEAVES)
    if fits < _TIMING_UNKNOWN:
        suspect.doubt(gap_words(scene, change), 0.5 + fits)
    return suspect


def _blamed(inspection: Inspection) -> JsonObject:
    if not inspection.commit or inspection.chance < LIKELY:
        return {}
    return {"commit": inspection.commit, "message": inspection.message, "does": inspection.does}


def _setting(scene: Scene, change: Finding, fits: float) -> Suspect:
    service, key = change.service, change.component
    suspect = Suspect(
        kind=CauseKind.BAD_CONFIGURATION,
        service=service,
        component=key,
        summary=(
            f"{service} {fails(scene, service)}; its {key} was changed from {change.data.get('before')} "
            f"to {change.data.get('after')}{just_before(scene, change)}."
        ),
        began_at=change.began_at,
        data={
            "key": key,
            "before": change.data.get("before"),
            "after": change.data.get("after"),
            "change_id": change.data.get("change_id"),
            "link": change.data.get("link"),
        },
        decisive=frozenset({"changes", "logs"}),
    )
    suspect.support([change], 0.6 * fits)
    suspect.support(scene.of(service, FindingKind.ERROR_RATE_UP, FindingKind.DEPENDENCY_ERRORS), 0.45 * fits)
    suspect.support(scene.of(service, FindingKind.LATENCY_UP), 0.3 * fits)
    suspect.support(_own_lines(scene, service), 0.35 * fits)
    suspect.support([f for f in _own_lines(scene, service) if _speaks_of(f, change) > 0], 0.7)
    if fits < _TIMING_UNKNOWN:
        suspect.doubt(gap_words(scene, change), 0.5 + fits)
    return suspect


def _content(scene: Scene, change: Finding) -> float:
    """How specifically the failures point at this very change, 0 to 1."""
    if change.kind is not FindingKind.CHANGE_DEPLOY:
        return max((_speaks_of(f, change) for f in _own_lines(scene, change.service)), default=0.0)
    values = [split.value for split in version_splits(scene, change)]
    return 1.0 if values and min(values) > 0 and max(values) >= BESIDE else 0.0


def _own_lines(scene: Scene, service: str) -> list[Finding]:
    return [f for f in scene.of(service, *LINES) if scene.harmful(f)]


def _speaks_of(finding: Finding, change: Finding) -> float:
    """Whether lines hold the new value beside words of its key: ``within 5 ms``, ``bank_timeout_ms``."""
    key = set(_WORD.findall(change.component.lower()))
    value = str(change.data.get("after", "")).strip().lower()
    best = 0.0
    for sample in strings(finding, "samples"):
        words = set(_WORD.findall(sample.lower()))
        named = bool(key & words)
        if named and value and value in words:
            best = max(best, 1.0)
        elif change.component.lower() in sample.lower():
            best = max(best, 0.8)
    return best
