"""Suspicions against changes: by place, by timing and by what they do, never by recency alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.diagnosis.changes.evidence import TIMING_UNKNOWN, ChangeEvidence, gather, precedes, speaks_of
from bot.diagnosis.changes.exclusions import standings
from bot.diagnosis.changes.inspection import LIKELY, Inspection, inspect
from bot.diagnosis.changes.wording import deploy_summary, describe, gap_words, setting_summary, taken_back
from bot.diagnosis.ranking.situation import Situation, noisy_or
from bot.diagnosis.ranking.suspects import Suspect, unexplained
from bot.domain.diagnoses.diagnosis import CauseKind, RuledOut
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import duration, figure
from bot.domain.model import JsonObject

_MECHANISM_EXPLAINS = 0.8
_FAIL_ALIKE, _FAIL_OTHERWISE = 0.25, 0.8
_STOOD_S = 5.0
_FARTHER = 3.0
_STOOD, _STOOD_BUT_FITS = 0.7, 0.9
_UNLIKELY, _OTHER_FITS = 0.2, 0.7
_PUT_BACK = 0.7
_STILL_SEEN_S = 120.0
"""How long, in seconds, figures may still show the time before a change was taken back."""
_GOES_ON = 0.3
_TIMED, _DONE = 0.5, 0.75
_IDLE, _IDLE_LEAVES = 0.1, 0.7
_NOTHING_KNOWN = Inspection()


@dataclass(frozen=True, kw_only=True)
class _AccusedChange:
    """A change that can be to blame, with all the evidence against it."""

    evidence: ChangeEvidence
    later: tuple[Finding, ...]
    """What replaced it before the trouble; each of them builds on it."""
    inspected: Inspection | None
    """None if its content is not known."""

    @property
    def change(self) -> Finding:
        return self.evidence.change

    @property
    def inspection(self) -> Inspection:
        return self.inspected or _NOTHING_KNOWN


def change_suspects(scene: Situation, mechanisms: Sequence[Suspect]) -> tuple[list[Suspect], list[RuledOut]]:
    """Turn each change of the scope into a suspicion, or give the reason why it is not one.

    In one direction: what is known of each change; which of them can be to blame; what those brought; and
    how much speaks for and against each that is left.  ``mechanisms`` are doubted where a release caused one.
    """
    standing = standings(scene, gather(scene))
    inspections = inspect(scene, [each.evidence.change for each in standing if each.is_possible])
    accused: list[_AccusedChange] = []
    dropped: list[RuledOut] = []
    for each in standing:
        change = each.evidence.change
        one = _AccusedChange(evidence=each.evidence, later=each.later, inspected=inspections.get(change.id))
        if each.is_possible and (not each.later or one.inspection.is_named):
            accused.append(one)
        else:
            dropped.append(RuledOut(what=describe(change), why=each.why_not))
    return [_suspect(scene, one, mechanisms, accused) for one in accused], dropped


def _suspect(
    scene: Situation, one: _AccusedChange, mechanisms: Sequence[Suspect], accused: Sequence[_AccusedChange]
) -> Suspect:
    """Weigh all that speaks for and against one change."""
    suspect = _release(scene, one) if one.evidence.is_release else _setting(scene, one.evidence)
    if one.inspection.chance >= LIKELY:
        weight = noisy_or((_TIMED * one.evidence.fits, _DONE * one.inspection.chance))
        suspect.support([one.change], weight)
    content = max(one.evidence.traces, one.evidence.own, one.inspection.speaks * one.inspection.chance)
    _doubt_for_what_it_calls(scene, one, suspect, content=content)
    _doubt_for_mechanisms(scene, one, suspect, mechanisms, content=content)
    _doubt_for_others(one, suspect, accused)
    _remark_if_undone(scene, one, suspect)
    return suspect


def _release(scene: Situation, one: _AccusedChange) -> Suspect:
    evidence, inspection, later = one.evidence, one.inspection, one.later
    change, fits = evidence.change, evidence.fits
    service, version = change.service, change.component
    # Under a later release there is no way back to what was there before: that would take both away.
    previous = "" if later else str(change.data.get("previous_version") or "")
    suspect = Suspect(
        kind=CauseKind.BAD_RELEASE,
        service=service,
        component=version,
        summary=deploy_summary(scene, evidence, inspection, replaced_by=later[-1].component if later else ""),
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
    suspect.support(evidence.lines, 0.4 * fits)
    splits = () if later else evidence.splits
    for split in splits:
        suspect.support([split.finding], 0.75 * max(0.0, split.value))
    if any(split.value < 0 for split in splits):
        own = any(split.is_own for split in splits)
        but = ", but not with the same message" if own else ""
        suspect.doubt(
            f"other versions of {service} fail as well{but}", _FAIL_OTHERWISE if own else _FAIL_ALIKE
        )
    if inspection.worst <= _IDLE and not evidence.traces:
        suspect.doubt("nothing in it is likely to break anything", _IDLE_LEAVES)
    if fits < TIMING_UNKNOWN:
        suspect.doubt(gap_words(evidence), 0.5 + fits)
    return suspect


def _blamed(inspection: Inspection) -> JsonObject:
    if not inspection.is_named:
        return {}
    return {"commit": inspection.commit, "message": inspection.message, "does": inspection.does}


def _setting(scene: Situation, evidence: ChangeEvidence) -> Suspect:
    change, fits = evidence.change, evidence.fits
    service, key = change.service, change.component
    suspect = Suspect(
        kind=CauseKind.BAD_CONFIGURATION,
        service=service,
        component=key,
        summary=setting_summary(scene, evidence),
        began_at=change.began_at,
        data={
            "key": key,
            "before": change.data.get("before"),
            "after": change.data.get("after"),
            "target": change.data.get("target"),
            "change_id": change.data.get("change_id"),
            "link": change.data.get("link"),
        },
        decisive=frozenset({"changes", "logs"}),
    )
    suspect.support([change], 0.6 * fits)
    suspect.support(scene.of(service, FindingKind.ERROR_RATE_UP, FindingKind.DEPENDENCY_ERRORS), 0.45 * fits)
    suspect.support(scene.of(service, FindingKind.LATENCY_UP), 0.3 * fits)
    suspect.support(evidence.lines, 0.35 * fits)
    suspect.support([f for f in evidence.lines if speaks_of(f, change) > 0], 0.7)
    if fits < TIMING_UNKNOWN:
        suspect.doubt(gap_words(evidence), 0.5 + fits)
    return suspect


def _doubt_for_what_it_calls(
    scene: Situation, one: _AccusedChange, suspect: Suspect, *, content: float
) -> None:
    service = one.change.service
    share = scene.explained(service)
    if share > 0:
        culprit = max(
            scene.catalogue.get(service).depends_on,
            key=lambda name: (scene.explained_by(service, name), name),
        )
        text = f"{figure(share, 'ratio')} of the trouble of {service} comes from {culprit}"
        # What is below hits all versions alike; a setting may well be about what is below.
        suspect.doubt(text, unexplained(share * (1 - content) if one.evidence.is_release else share))


def _doubt_for_mechanisms(
    scene: Situation, one: _AccusedChange, suspect: Suspect, mechanisms: Sequence[Suspect], *, content: float
) -> None:
    here = [m for m in mechanisms if m.service == suspect.service and m.kind is not CauseKind.SERVICE_DOWN]
    strongest = max(here, key=lambda m: m.judged(scene), default=None)
    if strongest is None:
        return
    explains = strongest.judged(scene) * (1 - content)
    hogs = strongest.kind is CauseKind.SATURATION and strongest.component in {"cpu", "memory"}
    if one.evidence.is_release and hogs:
        _release_that_hogs(scene, suspect, strongest, one.evidence.fits)
    else:
        suspect.doubt(strongest.summary, 1 - _MECHANISM_EXPLAINS * explains)


def _release_that_hogs(scene: Situation, suspect: Suspect, hog: Suspect, fits: float) -> None:
    # A release that came with the load is its likelier cause than chance; one long before is not.
    kinds = (FindingKind.CPU_HIGH, FindingKind.MEMORY_HIGH)
    suspect.support(scene.of(suspect.service, *kinds), 0.4 * fits)
    hog.doubt(f"it began with the release of {suspect.service} {suspect.component}", 1 - 0.4 * fits)
    suspect.doubt(hog.summary, 0.5 + 0.5 * fits)


def _doubt_for_others(one: _AccusedChange, suspect: Suspect, accused: Sequence[_AccusedChange]) -> None:
    """Doubt a change that did no harm until another was made, and one that only restored an old value.

    Of two releases of which what they brought is known, the one that fits makes the other one doubtful.
    """
    beside = [other for other in accused if other.change.service == one.change.service]
    gap_s = one.evidence.gap_s
    near_s = min((abs(o.evidence.gap_s) for o in beside if o.evidence.gap_s is not None), default=None)
    if gap_s is not None and near_s is not None and gap_s > _STOOD_S + _FARTHER * near_s:
        text = f"it did no harm for {duration(gap_s)}, until another change was made"
        suspect.doubt(text, _STOOD_BUT_FITS if one.inspection.is_named else _STOOD)
    if one.evidence.is_release and one.inspected is not None and one.inspected.chance <= _UNLIKELY:
        for other in beside:
            if other.inspection.is_named:
                fits = f"the content of {other.change.component} fits the symptoms"
                suspect.doubt(f"{fits}; the content of this one does not", _OTHER_FITS)
    if _puts_back(one.evidence):
        suspect.doubt("it only restored the earlier value", _PUT_BACK)


def _remark_if_undone(scene: Situation, one: _AccusedChange, suspect: Suspect) -> None:
    """Doubt a change that was taken back long ago; where it is recent, what is read may be from before."""
    undone = one.evidence.undone_by
    if undone is not None and undone.began_at is not None:
        ago_s = max(0.0, (scene.now - undone.began_at).total_seconds())
        text = f"{taken_back(undone)} {duration(ago_s)} ago"
        if ago_s > _STILL_SEEN_S:
            suspect.doubt(f"{text}, and the trouble goes on", _GOES_ON)
        else:
            suspect.doubt(text, 1.0)
            suspect.data = {**suspect.data, "undone": text}


def _puts_back(evidence: ChangeEvidence) -> bool:
    """Return whether a setting was given the value that it had before all the changes that are known."""
    if evidence.is_release:
        return False
    earlier = [other for other in evidence.rivals if precedes(other, evidence.change)]
    first = min(earlier, key=lambda f: (f.began_at is None, f.began_at, f.id), default=None)
    return first is not None and first.data.get("before") == evidence.change.data.get("after")
