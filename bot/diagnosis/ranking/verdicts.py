"""Decides what may be concluded from a ranking, and puts it in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.diagnosis.ranking.corroboration import ALERTS
from bot.diagnosis.ranking.harmless import headline_of
from bot.diagnosis.ranking.situation import CHANGES, Situation
from bot.domain.diagnoses.diagnosis import Cause, CauseKind, Verdict
from bot.domain.diagnoses.finding import FindingKind
from bot.domain.formatting import duration, listed

FOUND = 0.6
"""From this confidence on a cause counts as found."""
ALSO = 0.5
"""From this confidence on a second cause is named beside the first: it is more likely than not."""
TIE = 0.04
"""Two causes this close count as a tie."""
BOTH = 0.8
"""From this confidence on, two causes that tie are both believed, if they are of different services."""
_CORROBORATED = 2
"""This many sources must support a cause when most sources could not be read."""
_ADD_ONE = "Add one under its `sources` in the catalogue, such as `prometheus` or `logs`."
_PLACES = (CauseKind.UNKNOWN, CauseKind.CODE_FAULT)


def judge(scene: Situation, causes: Sequence[Cause]) -> Verdict:
    """Return whether a cause was found, is unclear, or does not exist.

    An alert, a change or a storm of harmless lines is not evidence of a fault: without a symptom anywhere in
    the scope, and with metrics and logs at hand to show one, there is none.  A source that answered with a
    part of its data may have left out the fault.
    """
    if causes and causes[0].confidence >= FOUND and causes[0].kind not in _PLACES:
        doubtful = _is_undone(causes[0]) or _torn(causes) or _in_the_dark(scene, causes[0])
        return "unclear" if doubtful else "cause_found"
    in_trouble = any(scene.impaired(name) for name in scene.scope)
    if in_trouble or causes or not scene.was_read("metrics") or scene.partial or _half_seen(scene):
        return "unclear"
    return "no_fault_found"


def _is_undone(cause: Cause) -> bool:
    """Return whether a cause is a change that was taken back since the trouble began."""
    return "undone" in cause.data


def _half_seen(scene: Situation) -> bool:
    """Return whether something unusual was seen, and a source that might explain it was not read."""
    silent = {*CHANGES, FindingKind.ALERT}
    seen = (f for f in scene.findings if f.service in scene.scope and f.kind not in silent)
    return bool(scene.unread) and any(seen)


def ties(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """List the causes that share the first place."""
    return tuple(c for c in causes if c.confidence >= causes[0].confidence - TIE) if causes else ()


def summary_of(
    scene: Situation, verdict: Verdict, causes: Sequence[Cause], *, beside: Sequence[Cause] = ()
) -> str:
    """Return one or two sentences, fit for three in the morning.

    ``beside`` are faults of the callers' own, which the service asked about does not suffer from.
    """
    match verdict:
        case "cause_found":
            also = [c for c in causes[1:] if c.confidence >= ALSO and is_standing(c)]
            return _with_others(causes[0].summary, [*also[:1], *beside])
        case "unclear":
            return _with_others(_unclear(scene, causes), beside)
        case "no_fault_found":
            return _no_fault(scene, beside)


def is_standing(cause: Cause) -> bool:
    """Return whether a cause is more than a place, and was not taken back since."""
    return cause.kind not in _PLACES and not _is_undone(cause)


def _with_others(text: str, others: Sequence[Cause]) -> str:
    return f"{text} At the same time: {' And: '.join(cause.summary for cause in others)}" if others else text


class _CauseName(Protocol):
    """What has a name: a cause, or the suspicion that becomes one."""

    @property
    def kind(self) -> CauseKind: ...
    @property
    def service(self) -> str: ...
    @property
    def component(self) -> str: ...


def name_of(cause: _CauseName) -> str:
    """Name a cause in a few words, without saying that it happened."""
    match cause.kind:
        case CauseKind.BAD_RELEASE:
            return f"release of {cause.service} {cause.component}"
        case CauseKind.BAD_CONFIGURATION:
            return f"setting {cause.service}/{cause.component}"
        case CauseKind.DATABASE_LOCK:
            return f"lock in the database of {cause.service}"
        case CauseKind.DATABASE_DOWN:
            return f"database of {cause.service} down"
        case CauseKind.DEPENDENCY_DOWN | CauseKind.SERVICE_DOWN:
            return f"{cause.service} down"
        case CauseKind.SATURATION:
            return f"{cause.service} short of {cause.component}"
        case CauseKind.CODE_FAULT:
            return f"{cause.component} in {cause.service}"
        case CauseKind.UNKNOWN:
            return f"something in {cause.service}"


def _in_the_dark(scene: Situation, cause: Cause) -> bool:
    """Return whether one source alone speaks for the cause while most of the others could not be read.

    Alerts do not count: another source should have seen what an alert saw.
    """
    asked = [name for name in scene.asked if name != ALERTS]
    unread = [source for source in scene.unread if source.name != ALERTS]
    if len(unread) * 2 <= len(asked):
        return False
    speaking = (finding for finding in scene.findings if finding.id in cause.evidence)
    return len({finding.source for finding in speaking if finding.source != ALERTS}) < _CORROBORATED


def _torn(causes: Sequence[Cause]) -> bool:
    tied = ties(causes)
    if len(tied) == 1:
        return False
    # In one service they compete for the same symptoms; in two, both may well be true.
    return tied[-1].confidence < BOTH or len({cause.service for cause in tied}) < len(tied)


def _unclear(scene: Situation, causes: Sequence[Cause]) -> str:
    unread = listed([source.name for source in scene.unread], most=4)
    because = f" {unread[0].upper()}{unread[1:]} could not be read." if unread else ""
    partial = listed(list(scene.partial), most=4)
    because += f" Of {partial} only a part could be read." if partial else ""
    tied = ties(causes)
    if not scene.asked:
        return f"No source is configured for {scene.service}: I do not know whether it is well. {_ADD_ONE}"
    if causes and causes[0].confidence >= FOUND and _is_undone(causes[0]):
        undone = f"But {causes[0].data['undone']}, and what I read may be from before that."
        return f"{causes[0].summary} {undone}{because}"
    if not causes:
        failing = [name for name in scene.scope if scene.impaired(name)]
        where = (
            f"{listed(failing, most=4)} are in trouble"
            if failing
            else f"I could read too little about {scene.service}"
        )
        return f"{where}; I cannot determine why.{because}"
    if len(tied) > 1:
        return f"I cannot decide between these: {' Or: '.join(cause.summary for cause in tied[:3])}{because}"
    return f"I am not sure. Best guess: {causes[0].summary}{because}"


def _no_fault(scene: Situation, beside: Sequence[Cause]) -> str:
    ours = [name for name in scene.scope if not scene.catalogue.get(name).external]
    back = duration(scene.since_s)
    usual = f"errors and latency of {listed(ours, most=4)} were as usual over the last {back}."
    loud = headline_of(scene)
    quiet = f"nothing is failing. {loud} {usual[:1].upper()}{usual[1:]}" if loud else usual
    text = f"No fault found: {quiet}"
    over = [finding.service for finding in scene.over() if finding.service in scene.scope]
    if over:
        text += f" There was trouble in {listed(over, most=4)}; it has ended."
    changes = [f for f in scene.findings if f.kind in CHANGES and f.service in scene.scope]
    latest = max(
        (f for f in changes if f.began_at is not None), key=lambda f: (f.began_at, f.id), default=None
    )
    if latest is not None and latest.began_at is not None:
        ago = duration(max(0.0, (scene.now - latest.began_at).total_seconds()))
        text += f" The latest change ({latest.service}, {ago} ago) had no visible effect."
    above = [entry.name for entry in scene.catalogue.upstream(scene.service) if scene.impaired(entry.name)]
    if above:
        known = " ".join(cause.summary for cause in beside)
        what = f"{known} Triage that" if known else "triage that"
        text += f" But {listed(above, most=4)}, which depends on it, is in trouble: {what}."
    unread = [source.name for source in scene.unread]
    return f"{text} {listed(unread, most=4).capitalize()} could not be read." if unread else text
