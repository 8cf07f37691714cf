"""Ranks the services of a case by how likely each is where the trouble began, or says that there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.telemetry import evidence as gather
from bot.analysis.telemetry import tallies
from bot.analysis.telemetry.case import Telemetry
from bot.analysis.telemetry.evidence import Evidence
from bot.analysis.telemetry.graph import CallGraph
from bot.analysis.telemetry.kinds import Kind
from bot.analysis.telemetry.onset import refined, row_of_onset
from bot.analysis.telemetry.weights import Weights

_LEAST_ROWS = 2
_NEVER = 1e-9


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """One service, with what speaks for it, strongest first; ``score`` has no unit and no upper bound."""

    service: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Most suspicious first; ``confidence`` is the chance that the first is right, 0 to 1."""

    suspicions: tuple[Suspicion, ...]
    confidence: float
    onset_s: float | None


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All the evidence of a case and the onset it was judged by; the weights come after it."""

    best: Mapping[str, Mapping[str, Evidence]]
    services: tuple[str, ...]
    graph: CallGraph
    alerting: str
    onset_s: float | None


def rank(case: Telemetry, *, weights: Weights, onset_s: float | None = None) -> Ranking:
    """Name the suspects; without ``onset_s`` (seconds since the epoch) the onset is found first."""
    return judged(gathered(case, weights=weights, onset_s=onset_s), weights=weights)


def gathered(case: Telemetry, *, weights: Weights, onset_s: float | None = None) -> Gathered:
    """Collect what is anomalous since the onset; a source that is missing says nothing."""
    kinds = gather.kinds_of(case.columns)
    counted = _counted(case)
    row, at_s = _onset(case, kinds, counted=[each for _, each in counted], weights=weights, given_s=onset_s)
    found: list[Evidence] = []
    if at_s is not None:
        found.extend(gather.of_metrics(case, row, kinds=kinds))
        found.extend(gather.of_lags(case.spans, onset_s=at_s))
        for what, each in counted:
            found.extend(gather.of_turns(each, onset_s=at_s, what=what))
    return Gathered(
        best=gather.strongest(found),
        services=case.services,
        graph=CallGraph(case.calls),
        alerting=case.alerting,
        onset_s=at_s,
    )


def _counted(case: Telemetry) -> list[tuple[str, tallies.Tallies]]:
    found = []
    if case.lines:
        found.append(("line", tallies.of_lines(case.lines)))
    if case.spans:
        found.append(("call", tallies.of_spans(case.spans)))
    return found


def _onset(
    case: Telemetry,
    kinds: tuple[Kind, ...],
    *,
    counted: Sequence[tallies.Tallies],
    weights: Weights,
    given_s: float | None,
) -> tuple[int, float | None]:
    if case.times_s.size < _LEAST_ROWS:
        return 0, None
    if given_s is not None:
        row = int(np.searchsorted(case.times_s, given_s))
        return min(max(row, 1), case.times_s.size - 1), given_s
    row = row_of_onset(case, kinds=kinds, weights=[weights.of(kind.value) for kind in kinds])
    return row, refined(case, row, tallies=counted)


def judged(found: Gathered, *, weights: Weights) -> Ranking:
    """Weigh the evidence of each service, take off what its callees explain, add what it explains itself."""
    own = {name: _weighed(found.best.get(name, {}), weights.own) for name in found.services}
    symptoms = {name: _weighed(found.best.get(name, {}), weights.symptom) for name in found.services}
    total = {name: own[name] + symptoms[name] for name in found.services}
    everything = sum(total.values()) or 1.0
    reachable = found.graph.behind(found.alerting) if found.alerting in found.graph else None
    suspicions = []
    for name in found.services:
        callees = (total.get(callee, 0.0) for callee in found.graph.callees(name))
        worse = min(max(callees, default=0.0) / max(total[name], _NEVER), 1.0)
        score = own[name] + symptoms[name] * (1 - weights.explained * worse)
        in_front = found.graph.in_front(name) - {name}
        score *= 1 + weights.coverage * sum(total.get(each, 0.0) for each in in_front) / everything
        if reachable is not None and name not in reachable:
            score *= weights.unreachable
        suspicions.append(Suspicion(service=name, score=score, evidence=_ordered(found.best.get(name, {}), weights)))
    suspicions.sort(key=lambda each: (-each.score, each.service))
    return Ranking(
        suspicions=tuple(suspicions), confidence=_confidence(suspicions, weights), onset_s=found.onset_s
    )


def _weighed(kinds: Mapping[str, Evidence], weights: Mapping[str, float]) -> float:
    return sum(weights.get(kind, 0.0) * each.strength for kind, each in kinds.items())


def _ordered(kinds: Mapping[str, Evidence], weights: Weights) -> tuple[Evidence, ...]:
    return tuple(sorted(kinds.values(), key=lambda each: (-weights.of(each.kind) * each.strength, each.name)))


def _confidence(suspicions: Sequence[Suspicion], weights: Weights) -> float:
    if not suspicions or suspicions[0].score <= 0:
        return 0.0
    first = suspicions[0].score
    second = suspicions[1].score if len(suspicions) > 1 else 0.0
    sure = weights.confidence
    return 1 / (1 + math.exp(-(sure.bias + sure.score * math.log(first) + sure.margin * (first - second) / first)))
