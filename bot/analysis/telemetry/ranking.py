"""Ranks the services of a case by how likely each is where the trouble began, or says that there is none."""

from __future__ import annotations

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
from bot.analysis.telemetry.scoring import Table, confidence, scores, table_of
from bot.analysis.telemetry.weights import Weights

_LEAST_ROWS = 2
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
    table: Table
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
        found.extend(gather.of_lags(case, onset_s=at_s, kinds=kinds))
        for what, each in counted:
            found.extend(gather.of_turns(each, onset_s=at_s, what=what))
    best = gather.strongest(found)
    table = table_of(
        best,
        services=case.services,
        graph=CallGraph(case.calls),
        alerting=case.alerting,
        seen_within=_seen_within(case, kinds),
    )
    return Gathered(best=best, table=table, onset_s=at_s)


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
    """Weigh the evidence; equal scores are ordered by name, which is only a stable order."""
    scored = scores(found.table, weights=weights)
    suspicions = [
        Suspicion(service=name, score=float(score), evidence=_ordered(found.best.get(name, {}), weights))
        for name, score in zip(found.table.services, scored, strict=True)
    ]
    suspicions.sort(key=lambda each: (-each.score, each.service))
    return Ranking(
        suspicions=tuple(suspicions),
        confidence=confidence(scored, weights=weights),
        onset_s=found.onset_s,
    )


def _ordered(kinds: Mapping[str, Evidence], weights: Weights) -> tuple[Evidence, ...]:
    return tuple(sorted(kinds.values(), key=lambda each: (-weights.of(each.kind) * each.strength, each.name)))
