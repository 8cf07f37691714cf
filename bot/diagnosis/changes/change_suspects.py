"""Suspicions against changes: by place, by timing and by what they do, never by recency alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.diagnosis.changes.change_alibis import (
    TIMING_UNKNOWN,
    alibi,
    no_longer_in_force,
    precedes,
    replaced_by,
    rivals,
    stands_on,
    timing,
)
from bot.diagnosis.changes.change_traces import own_lines, speaks_of, traces
from bot.diagnosis.changes.change_wording import deploy_summary, describe, fails, gap_words, just_before
from bot.diagnosis.ranking.inspections import LIKELY, Inspection, inspect
from bot.diagnosis.ranking.situation import CHANGES, Situation, noisy_or
from bot.diagnosis.ranking.suspects import Suspect, unexplained
from bot.diagnosis.ranking.version_splits import version_splits
from bot.domain.diagnoses.diagnosis import CauseKind, RuledOut
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.model import JsonObject
from bot.domain.wording import figure, span

_MECHANISM_EXPLAINS = 0.8
_FAIL_ALIKE, _FAIL_OTHERWISE = 0.25, 0.8
_STOOD_S = 5.0
_FARTHER = 3.0
_STOOD, _STOOD_BUT_FITS = 0.7, 0.9
_UNLIKELY, _OTHER_FITS = 0.2, 0.7
_PUT_BACK = 0.7
_TIMED, _DONE = 0.5, 0.75
_IDLE, _IDLE_LEAVES = 0.1, 0.7
_NOTHING_KNOWN = Inspection()


def change_suspects(scene: Situation, mechanisms: Sequence[Suspect]) -> tuple[list[Suspect], list[RuledOut]]:
    """Turn each change of the scope into a suspicion, or say why it is none."""
    changes = [f for f in scene.findings if f.kind in CHANGES and f.service in scene.scope]
    alibis = {change.id: alibi(scene, change) for change in changes}
    replaced = {change.id: replaced_by(scene, change) for change in changes}
    possible = [c for c in changes if not alibis[c.id] and all(stands_on(o, c) for o in replaced[c.id])]
    known = _inspected(scene, possible)
    blamable = [c for c in possible if not replaced[c.id] or known.get(c.id, _NOTHING_KNOWN).is_named]
    suspects = []
    for change in blamable:
        inspection = known.get(change.id, _NOTHING_KNOWN)
        suspect = _suspect(scene, change, mechanisms, inspection, replaced[change.id])
        _compete(scene, change, suspect, blamable, known)
        suspects.append(suspect)
    dropped = [
        RuledOut(what=describe(change), why=alibis[change.id] or no_longer_in_force(replaced[change.id]))
        for change in changes
        if change not in blamable
    ]
    return suspects, dropped


def _inspected(scene: Situation, possible: Sequence[Finding]) -> Mapping[str, Inspection]:
    """Inspect what changes do: those of one service are alternatives, of two both may be to blame."""
    of: defaultdict[str, list[Finding]] = defaultdict(list)
    for change in possible:
        of[change.service].append(change)
    return {key: found for own in of.values() for key, found in inspect(scene, own).items()}


def _suspect(
    scene: Situation,
    change: Finding,
    mechanisms: Sequence[Suspect],
    inspection: Inspection,
    later: Sequence[Finding],
) -> Suspect:
    fits = timing(change, scene.onset(change.service))
    deploy = change.kind is FindingKind.CHANGE_DEPLOY
    suspect = _deploy(scene, change, fits, inspection, later) if deploy else _setting(scene, change, fits)
    content = max(traces(scene, change), inspection.speaks * inspection.chance)
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


def _compete(
    scene: Situation,
    change: Finding,
    suspect: Suspect,
    suspected: Sequence[Finding],
    known: Mapping[str, Inspection],
) -> None:
    """Doubt what had stood without harm until another change came, and what only put an old value back.

    Of two releases of which what they brought is known, the one that fits makes the other one doubtful.
    """
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
        named = known.get(change.id, _NOTHING_KNOWN).is_named
        text = f"it stood for {span(gap_s)} without harm until another change came"
        suspect.doubt(text, _STOOD_BUT_FITS if named else _STOOD)
    _doubt_beside(change, suspect, suspected, known)
    if _puts_back(scene, change):
        suspect.doubt("it put back the value that had been in force before", _PUT_BACK)


def _doubt_beside(
    change: Finding, suspect: Suspect, suspected: Sequence[Finding], known: Mapping[str, Inspection]
) -> None:
    own = known.get(change.id)
    if own is None or own.chance > _UNLIKELY or change.kind is not FindingKind.CHANGE_DEPLOY:
        return
    for other in suspected:
        if other.service == change.service and known.get(other.id, _NOTHING_KNOWN).is_named:
            text = (
                f"what {other.component} brought fits what is complained of, what this one brought does not"
            )
            suspect.doubt(text, _OTHER_FITS)


def _gap_s(change: Finding, onset: datetime | None) -> float | None:
    if onset is None or change.began_at is None:
        return None
    return (onset - change.began_at).total_seconds()


def _puts_back(scene: Situation, change: Finding) -> bool:
    """Whether a setting was given the value that it had before all the changes that are known."""
    if change.kind is FindingKind.CHANGE_DEPLOY:
        return False
    earlier = [other for other in rivals(scene, change) if precedes(other, change)]
    first = min(earlier, key=lambda f: (f.began_at is None, f.began_at, f.id), default=None)
    return first is not None and first.data.get("before") == change.data.get("after")


def _release_that_hogs(scene: Situation, suspect: Suspect, hog: Suspect, fits: float) -> None:
    # A release that came with the load is its likelier cause than chance; one long before is not.
    kinds = (FindingKind.CPU_HIGH, FindingKind.MEMORY_HIGH)
    suspect.support(scene.of(suspect.service, *kinds), 0.4 * fits)
    hog.doubt(f"it began with the release of {suspect.service} {suspect.component}", 1 - 0.4 * fits)
    suspect.doubt(hog.summary, 0.5 + 0.5 * fits)


def _deploy(
    scene: Situation, change: Finding, fits: float, inspection: Inspection, later: Sequence[Finding]
) -> Suspect:
    service, version = change.service, change.component
    # Under a later release there is no way back to what was there before: that would take both away.
    previous = "" if later else str(change.data.get("previous_version") or "")
    suspect = Suspect(
        kind=CauseKind.BAD_RELEASE,
        service=service,
        component=version,
        summary=deploy_summary(scene, change, inspection, replaced_by=later[-1].component if later else ""),
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
    suspect.support(own_lines(scene, service), 0.4 * fits)
    splits = [] if later else version_splits(scene, change)
    for split in splits:
        suspect.support([split.finding], 0.75 * max(0.0, split.value))
    if any(split.value < 0 for split in splits):
        own = any(split.is_own for split in splits)
        but = ", though not with the same message" if own else ""
        suspect.doubt(
            f"other versions of {service} fail as well{but}", _FAIL_OTHERWISE if own else _FAIL_ALIKE
        )
    if inspection.worst <= _IDLE and not traces(scene, change):
        suspect.doubt("nothing that it brought is apt to break anything", _IDLE_LEAVES)
    if fits < TIMING_UNKNOWN:
        suspect.doubt(gap_words(scene, change), 0.5 + fits)
    return suspect


def _blamed(inspection: Inspection) -> JsonObject:
    if not inspection.is_named:
        return {}
    return {"commit": inspection.commit, "message": inspection.message, "does": inspection.does}


def _setting(scene: Situation, change: Finding, fits: float) -> Suspect:
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
    suspect.support(own_lines(scene, service), 0.35 * fits)
    suspect.support([f for f in own_lines(scene, service) if speaks_of(f, change) > 0], 0.7)
    if fits < TIMING_UNKNOWN:
        suspect.doubt(gap_words(scene, change), 0.5 + fits)
    return suspect
