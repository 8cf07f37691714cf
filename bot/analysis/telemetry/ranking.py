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
_FROM_OUTSIDE = (Kind.LATENCY, Kind.ERRORS, Kind.SUCCESS, Kind.TRAFFIC)


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
    seen_within: frozenset[str] = frozenset()
    """The services of which something is known that no caller can measure."""

    def hearsay(self, name: str) -> bool:
        """Whether all that is known of it is what a single caller measures."""
        leaf = not self.graph.callees(name)
        return leaf and len(self.graph.callers(name)) == 1 and name not in self.seen_within


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
        found.extend(gather.of_lags(case, onset_s=at_s, kinds=kinds))
        for what, each in counted:
            found.extend(gather.of_turns(each, onset_s=at_s, what=what))
    return Gathered(
        best=gather.strongest(found),
        services=case.services,
        graph=CallGraph(case.calls),
        alerting=case.alerting,
        onset_s=at_s,
        seen_within=_seen_within(case, kinds),
    )


def _seen_within(case: Telemetry, kinds: tuple[Kind, ...]) -> frozenset[str]:
    names = {c.service for c, kind in zip(case.columns, kinds, strict=True) if kind not in _FROM_OUTSIDE}
    names.update(bucket.service for bucket in case.spans)
    names.update(line.service for line in case.lines)
    return frozenset(names)


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
    known = [weights.of(kind.value) for kind in kinds]
    row = row_of_onset(case, kinds=kinds, weights=known, tallies=counted)
    return row, refined(case, row, tallies=counted)


def judged(found: Gathered, *, weights: Weights) -> Ranking:
    """Weigh the evidence of each service, take off what its callees explain, add what it explains itself."""
    trouble = _Trouble(found, weights)
    suspicions = [
        Suspicion(
            service=name,
            score=trouble.score(name),
            evidence=_ordered(found.best.get(name, {}), weights),
        )
        for name in found.services
    ]
    suspicions.sort(key=lambda each: (-each.score, each.service))
    return Ranking(
        suspicions=tuple(suspicions), confidence=_confidence(suspicions, weights), onset_s=found.onset_s
    )


class _Trouble:
    """How much trouble each service is in, and how much of it begins there."""

    def __init__(self, found: Gathered, weights: Weights) -> None:
        self._found = found
        self._weights = weights
        self._own = {name: _weighed(found.best.get(name, {}), weights.own) for name in found.services}
        self._symptoms = {
            name: _weighed(found.best.get(name, {}), weights.symptom) for name in found.services
        }
        self._everything = sum(self._own.values()) + sum(self._symptoms.values()) or 1.0
        known = found.alerting in found.graph
        self._reachable = found.graph.behind(found.alerting) if known else frozenset(found.services)

    def score(self, name: str) -> float:
        """Own evidence, and the symptoms that no callee explains, by how much of the rest it would explain.

        The alerting service's symptoms are what is to be explained, and no evidence against it.  A leaf of
        which nothing is known but what its one caller measures is an edge of the caller, not a service.
        """
        weights = self._weights
        symptoms = self._symptoms[name] * (1 - weights.explained * self._explained(name))
        if name == self._found.alerting:
            symptoms *= weights.alerting
        score = (self._own[name] + symptoms) * (1 + weights.coverage * self._covered(name))
        if name not in self._reachable:
            score *= weights.unreachable
        return score * (weights.hearsay if self._found.hearsay(name) else 1.0)

    def _total(self, name: str) -> float:
        return self._own.get(name, 0.0) + self._symptoms.get(name, 0.0)

    def _explained(self, name: str) -> float:
        """Share of its trouble that the worst of its callees has too, 0 to 1."""
        worst = max((self._total(callee) for callee in self._found.graph.callees(name)), default=0.0)
        return min(worst / max(self._total(name), _NEVER), 1.0)

    def _covered(self, name: str) -> float:
        """Share of all trouble that is in front of it, and would be its doing, 0 to 1."""
        in_front = self._found.graph.in_front(name) - {name}
        return sum(self._total(each) for each in in_front) / self._everything


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
    return 1 / (
        1 + math.exp(-(sure.bias + sure.score * math.log(first) + sure.margin * (first - second) / first))
    )
