"""Ranks the services of a scene by how likely each is where the trouble began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.diagnosis.origins.graph import CallGraph
from bot.diagnosis.origins.scoring import ScoreTable, confidence, scores
from bot.diagnosis.origins.weights import OriginWeights
from bot.diagnosis.ranking.situation import Situation
from bot.diagnosis.ranking.suspects import can_be_shown
from bot.diagnosis.signals.anomalies import BoolArray
from bot.domain.diagnoses.diagnosis import OriginCandidate
from bot.domain.diagnoses.finding import Finding, FindingKind

_DIGITS = 4
_SAME_AS: Mapping[FindingKind, FindingKind] = {
    FindingKind.LOG_TEMPLATE_GROWING: FindingKind.LOG_TEMPLATE_NEW,
    FindingKind.TRAFFIC_DROP: FindingKind.TRAFFIC_SHIFT,
}
_LINES = frozenset({FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_GROWING, FindingKind.LOG_ERRORS})


@dataclass(frozen=True, kw_only=True)
class OriginEvidence:
    """What a scene's places are judged by: the table for the sums, and the findings of each service."""

    table: ScoreTable
    found: Mapping[str, Mapping[FindingKind, Finding]]
    """Of each service the strongest finding of each kind."""


def places(scene: Situation, *, weights: OriginWeights) -> tuple[OriginCandidate, ...]:
    """Rank the likely origins, most likely first; services without evidence are left out.

    Equal scores are ordered by name, which is only a stable order.
    """
    return places_on(ground_of(scene), weights=weights)


def places_on(ground: OriginEvidence, *, weights: OriginWeights) -> tuple[OriginCandidate, ...]:
    """Weigh a ground that was laid out before."""
    scored = scores(ground.table, weights=weights)
    best = float(scored.max(initial=0.0))
    if best <= 0:
        return ()
    sure = confidence(scored, weights=weights)
    ordered = sorted(zip(ground.table.services, scored.tolist(), strict=True), key=lambda p: (-p[1], p[0]))
    return tuple(
        OriginCandidate(
            service=name,
            score=round(score, _DIGITS),
            confidence=round(sure * score / best, _DIGITS),
            evidence=tuple(f.id for f in _ordered(ground.found.get(name, {}), weights)),
        )
        for name, score in ordered
        if score > 0
    )


def ground_of(scene: Situation) -> OriginEvidence:
    """Lay out what was found of each service, and who calls whom."""
    known = set(scene.catalogue.names)
    found: dict[str, dict[FindingKind, Finding]] = {}
    for finding in scene.findings:
        kind = _weighed_as(scene, finding)
        if kind is not None and finding.service in known:
            kinds = found.setdefault(finding.service, {})
            rival = kinds.get(kind)
            if rival is None or (finding.strength, rival.id) > (rival.strength, finding.id):
                kinds[kind] = finding
    services = tuple(sorted({*found, *scene.scope}))
    return OriginEvidence(table=_table(scene, services, found), found=found)


def _weighed_as(scene: Situation, finding: Finding) -> FindingKind | None:
    """Return the kind as which a finding counts; none if it does not show where the trouble is now."""
    if finding.data.get("ended") is True or finding.id in scene.retired:
        return None
    if finding.kind in _LINES and not scene.harmful(finding):
        return None
    if finding.kind is FindingKind.ALERT:
        return None  # another system's judgement of data that has been read anyway
    if finding.kind is FindingKind.DEPENDENCY_DOWN and finding.component:
        return FindingKind.DEPENDENCY_ERRORS  # what a caller reports of it
    return _SAME_AS.get(finding.kind, finding.kind)


def _table(
    scene: Situation, services: tuple[str, ...], found: Mapping[str, Mapping[FindingKind, Finding]]
) -> ScoreTable:
    kinds = tuple(sorted({kind for each in found.values() for kind in each}))
    strengths = np.zeros((len(services), len(kinds)))
    for row, name in enumerate(services):
        for kind, finding in found.get(name, {}).items():
            strengths[row, kinds.index(kind)] = finding.strength
    graph = CallGraph(
        (entry.name, callee) for entry in scene.catalogue.services for callee in entry.depends_on
    )
    outside = {entry.name for entry in scene.catalogue.services if entry.external}
    return ScoreTable(
        services=services,
        kinds=kinds,
        strengths=strengths,
        calls=_among(services, [graph.callees(name) for name in services]),
        fails=_among(services, [graph.in_front(name) - {name} for name in services]),
        reachable=_each(name in scene.scope for name in services),
        outside=_each(name == scene.service and scene.is_alone and len(services) > 1 for name in services),
        hearsay=_each(name in outside and _is_edge(name, graph=graph) for name in services),
    )


def _is_edge(name: str, *, graph: CallGraph) -> bool:
    return not graph.callees(name) and len(graph.callers(name)) == 1


def _each(flags: Iterable[bool]) -> BoolArray:
    return np.array(list(flags), dtype=np.bool_)


def _among(services: tuple[str, ...], sets: Sequence[frozenset[str]]) -> BoolArray:
    rows = [[name in found for name in services] for found in sets]
    return np.array(rows, dtype=np.bool_).reshape(len(services), len(services))


def _ordered(kinds: Mapping[FindingKind, Finding], weights: OriginWeights) -> list[Finding]:
    """Order a service's findings by what they add, strongest first; leave out what cannot be shown alone."""
    worth = {finding.id: (weights.of(kind) * finding.strength, finding) for kind, finding in kinds.items()}
    kept = [pair for pair in worth.values() if pair[0] > 0 and can_be_shown(pair[1])]
    return [
        finding for _, finding in sorted(kept, key=lambda pair: (-pair[0], pair[1].component, pair[1].id))
    ]
