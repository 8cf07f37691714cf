"""Ranks the causes: what most likely happened, what was ruled out, and what is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.diagnosis.changes.inspection import without_commits
from bot.diagnosis.changes.ranking import change_suspects
from bot.diagnosis.changes.wording import describe
from bot.diagnosis.origins.ranking import places
from bot.diagnosis.origins.weights import OriginWeights, shipped
from bot.diagnosis.ranking.corroboration import ALERTS, corroborate
from bot.diagnosis.ranking.harmless import harmless_findings
from bot.diagnosis.ranking.mechanisms import mechanisms
from bot.diagnosis.ranking.situation import TEMPLATES, Situation
from bot.diagnosis.ranking.suspects import Suspect, unexplained
from bot.diagnosis.ranking.verdicts import ALSO, FOUND, is_standing, judge, name_of, summary_of
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import (
    Cause,
    CauseKind,
    Diagnosis,
    OriginCandidate,
    RuledOut,
    Source,
    SourceStatus,
)
from bot.domain.diagnoses.finding import Finding, FindingKind, Findings

_LEAST = 0.2
_MOST_CAUSES = 5
_PLACE_BESIDE = 0.55
"""A place is worth less than a cause in it, as long as that cause is likely at all."""
_CALLS = (FindingKind.DEPENDENCY_ERRORS, FindingKind.DEPENDENCY_SLOW, FindingKind.DEPENDENCY_DOWN)
SOURCES = ("logs", "metrics", "traces", "changes", "dependencies", "provider", "database", "mysql", "alerts")
"""The families of evidence, in the order in which they are shown."""


def rank_causes(
    *,
    service: str,
    catalogue: Catalogue,
    results: Mapping[str, Findings | Source],
    now: datetime,
    since_s: float,
) -> Diagnosis:
    """Name the most likely causes of the trouble of ``service``, best first, or conclude that there is none.

    ``results`` gives, for each source, what it found, or a ``Source`` with the reason why it was not read.
    ``since_s`` is how far back the sources looked, in seconds.  Pure: the same input gives the same answer,
    whatever the order of the findings.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return diagnosis_of(
        Situation(service=service, catalogue=catalogue, results=results, now=now, since_s=since_s),
        weights=shipped(),
    )


def diagnosis_of(scene: Situation, *, weights: OriginWeights) -> Diagnosis:
    """Diagnose a scene, wherever its findings come from; see ``rank_causes``."""
    where = places(scene, weights=weights)
    suspects, dropped = _concrete(scene)
    suspects.extend(list(_unexplained_places(scene, suspects, where)))
    ranked = _ranked(scene, suspects)
    # Alerts make a suspicion surer; they do not make one worth naming.
    named = [suspect for suspect in suspects if suspect.confidence(scene, without=ALERTS) >= _LEAST]
    causes = tuple(_ranked(scene, named))[:_MOST_CAUSES]
    verdict = judge(scene, causes)
    if verdict == "no_fault_found":
        causes = ()
    ruled_out = _ruled_out(scene, causes, ranked, dropped)
    beside = _of_callers(scene)
    return Diagnosis(
        service=scene.service,
        verdict=verdict,
        summary=summary_of(scene, verdict, causes, beside=beside),
        causes=(*causes, *(beside if causes else ())),
        ruled_out=ruled_out,
        sources=_sources(scene.results),
        findings=tuple(without_commits(finding) for finding in scene.findings),
        onset=_onset(scene, causes) if verdict != "no_fault_found" else None,
        places=where,
    )


def _concrete(scene: Situation) -> tuple[list[Suspect], list[RuledOut]]:
    """Return what was seen directly and what was changed, and which changes cannot be to blame."""
    direct = mechanisms(scene)
    corroborate(scene, direct)
    changes, dropped = change_suspects(scene, direct)
    corroborate(scene, changes)
    return [*direct, *changes], dropped


def _of_callers(scene: Situation) -> tuple[Cause, ...]:
    """Return the causes in the services that call this one, of trouble that is their own: other faults.

    A caller's trouble is mostly what it gets from here, and that is not a second fault; so each caller is
    judged as if the question had been about it.  Trouble with something else that it calls is left out: that
    was not read.
    """
    found: list[Cause] = []
    for entry in scene.catalogue.upstream(scene.service):
        there = replace(scene, service=entry.name)
        if entry.name in scene.scope or not there.impaired(entry.name) or _calls_the_unread(scene, there):
            continue
        suspects = [suspect for suspect in _concrete(there)[0] if suspect.service == entry.name]
        causes = [cause for cause in _ranked(there, suspects) if is_standing(cause)]
        found.extend(cause for cause in causes[:1] if cause.confidence >= ALSO)
    return tuple(sorted(found, key=lambda cause: (-cause.confidence, cause.service)))


def _calls_the_unread(scene: Situation, there: Situation) -> bool:
    """Return whether a caller has trouble with something that it calls and that lies outside the scope."""
    others = {*there.scope} - {there.service, *scene.scope}
    return any(there.link(there.service, name) >= _LEAST for name in others if _names(there, name))


def _names(there: Situation, callee: str) -> bool:
    """Return whether a service's calls or error lines point at something that it calls."""
    calls = there.of(there.service, *_CALLS)
    lines = [f for f in there.of(there.service, FindingKind.LOG_ERRORS) if there.harmful(f)]
    named = [f.data.get("mentions") for f in lines]
    return any(f.component == callee for f in calls) or any(
        isinstance(each, dict) and callee in each for each in named
    )


def _ranked(scene: Situation, suspects: Sequence[Suspect]) -> list[Cause]:
    causes = [suspect.cause(scene) for suspect in suspects]
    depth = scene.depth
    # Equal confidence: what lies deeper explains what lies above; the rest is only a stable order.
    causes.sort(key=lambda c: (-c.confidence, -depth.get(c.service, 0), c.kind.value, c.service, c.component))
    return causes


def _unexplained_places(
    scene: Situation, suspects: Sequence[Suspect], where: Sequence[OriginCandidate]
) -> Iterator[Suspect]:
    """Return at least the place, for each one with a symptom of its own that nothing else explains."""
    by_id = {finding.id: finding for finding in scene.findings}
    for place in where:
        evidence = [by_id[each] for each in place.evidence]
        if place.service not in scene.scope or not any(scene.harmful(f) for f in evidence):
            continue
        rivals = [s for s in suspects if _accounts_for(scene, s, place.service)]
        rival = max(rivals, key=lambda s: s.judged(scene), default=None)
        if rival is None or rival.judged(scene) < FOUND:
            yield _somewhere(scene, place, evidence, rival=rival)


def _somewhere(
    scene: Situation, place: OriginCandidate, evidence: Sequence[Finding], *, rival: Suspect | None
) -> Suspect:
    name = place.service
    known = rival.judged(scene) if rival is not None else 0.0
    exceptions = [e for f in evidence if f.kind in TEMPLATES for e in _exceptions(f)]
    where = f"{exceptions[0]} in {name}" if exceptions else f"something in {name}"
    suspect = Suspect(
        kind=CauseKind.CODE_FAULT if exceptions else CauseKind.UNKNOWN,
        service=name,
        component=exceptions[0] if exceptions else "",
        summary=f"The trouble begins in {name} ({where}), but the data I read does not show why.",
        began_at=scene.onset(name),
        decisive=frozenset({"metrics", "logs"}),
        weighed=min(place.confidence, _PLACE_BESIDE) if known >= _LEAST else place.confidence,
    )
    suspect.support(evidence, 1.0)
    if rival is not None and known > 0:
        # What is too unlikely to be listed is no explanation that a reader could find.
        is_listed = rival.confidence(scene, without=ALERTS) >= _LEAST
        better = f"{name_of(rival)} would explain it" if is_listed else ""
        suspect.doubt(better, unexplained(known))
    return suspect


def _accounts_for(scene: Situation, suspect: Suspect, name: str) -> bool:
    return suspect.service == name or suspect.service in scene.catalogue.get(name).depends_on


def _exceptions(finding: Finding) -> list[str]:
    found = finding.data.get("exceptions")
    return [str(name) for name in found] if isinstance(found, list) else []


def _ruled_out(
    scene: Situation, causes: Sequence[Cause], ranked: Sequence[Cause], dropped: Sequence[RuledOut]
) -> tuple[RuledOut, ...]:
    named = {(cause.kind, cause.service, cause.component) for cause in causes}
    rest = [c for c in ranked if (c.kind, c.service, c.component) not in named]
    places = (CauseKind.UNKNOWN, CauseKind.CODE_FAULT)
    found = list(dropped)
    found.extend(
        RuledOut(
            what=name_of(cause), why=cause.against[0] if cause.against else "there is little evidence for it"
        )
        for cause in rest
        if cause.kind not in places
    )
    found.extend(RuledOut(what=f.summary.rstrip("."), why="it has ended") for f in scene.over())
    found.extend(
        RuledOut(what=f.summary.rstrip("."), why=f"it was stopped by the {describe(scene.retired[f.id])}")
        for f in scene.findings
        if f.id in scene.retired
    )
    if not any(scene.impaired(name) for name in scene.scope):
        found.extend(harmless_findings(scene))
    return tuple(dict.fromkeys(found))


def _sources(results: Mapping[str, Findings | Source]) -> tuple[Source, ...]:
    order = {name: place for place, name in enumerate(SOURCES)}
    names = sorted(results, key=lambda name: (order.get(name, len(order)), name))
    return tuple(_source(name, results[name]) for name in names)


def _source(name: str, result: Findings | Source) -> Source:
    if isinstance(result, Source):
        return result if result.name == name else result.model_copy(update={"name": name})
    why = result.looked_at + (f"; not read: {'; '.join(result.gaps)}" if result.gaps else "")
    if result.partial:
        return Source(name=name, status=SourceStatus.PARTIAL, why="; ".join(result.partial))
    return Source(name=name, status=SourceStatus.OK, why=why)


def _onset(scene: Situation, causes: Sequence[Cause]) -> datetime | None:
    """Return when the symptom began: of the service itself, else of the first cause's."""
    places = [scene.service, *(cause.service for cause in causes[:1])]
    began = [onset for name in places if (onset := scene.onset(name)) is not None]
    return min(began, default=None)
